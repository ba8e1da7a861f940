"""What the tests of training from Python share: data, the program, and what its runs leave."""

import json
import os
import pathlib
import subprocess

import h5py
import numpy

TIMES = {"seconds", "data_wait_seconds", "sequences_per_second", "checkpoint_seconds"}
RNG = numpy.random.default_rng(1)
ROWS = [RNG.normal(size=(n, 3)).astype(numpy.float32) for n in RNG.integers(3, 12, 60)]
LABELS = numpy.array([int(row.sum() > 0) for row in ROWS])
SERIES = RNG.normal(size=(120, 2)).cumsum(0)


def program(*arguments):
    command = [os.environ["QUADGATE_BIN"], *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def weights(checkpoint):
    with h5py.File(checkpoint) as file:
        return {name: values[()] for name, values in file["state_dict"].items()}


def metrics(folder):
    lines = (pathlib.Path(folder) / "metrics.jsonl").read_text().splitlines()
    return [{k: v for k, v in json.loads(line).items() if k not in TIMES} for line in lines]


def expect_same_run(folder, other, checkpoints=("checkpoint.h5", "best.h5")):
    assert metrics(folder) == metrics(other)
    for name in checkpoints:
        ours, theirs = weights(folder / name), weights(other / name)
        assert ours.keys() == theirs.keys()
        for key, values in ours.items():
            assert numpy.array_equal(values, theirs[key]), key


def write_run_file(tmp_path, data, more_data="", model="hidden_size = 6", train="epochs = 3"):
    path = tmp_path / "run.toml"
    path.write_text(f'[data]\npath = "{data}"\n{more_data}\n[model]\n{model}\n[train]\n{train}\n'
                    f'[output]\ndir = "{tmp_path / "program"}"\n')  # fmt: skip
    return path
