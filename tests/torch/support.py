"""What the comparisons with PyTorch share: the program, data sets, and the same models in torch."""

import json
import os
import pathlib
import subprocess

import h5py
import numpy
import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence

torch.set_num_threads(1)


def quadgate(*arguments):
    """Runs the program; returns what it printed to stdout."""
    command = [os.environ["QUADGATE_BIN"], *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}: exit {done.returncode}: {done.stderr}"
    return done.stdout


def refusal(*arguments):
    """The one line, beside notes, with which the program refuses them."""
    command = [os.environ["QUADGATE_BIN"], *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode in (1, 2), done
    (line,) = [line for line in done.stderr.splitlines() if ": note: " not in line]
    return line


def piped(file, *arguments):
    """What the program prints with this file as stdin."""
    command = [os.environ["QUADGATE_BIN"], *map(str, arguments)]
    with open(file, "rb") as stdin:
        done = subprocess.run(command, stdin=stdin, capture_output=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.decode()


def evaluate(checkpoint, data, split="test"):
    arguments = ["evaluate", checkpoint, "--data", data, "--split", split, "--threads", 2, "--json"]
    return json.loads(quadgate(*arguments))


def shared_data(name):
    """A real data set, or None where there are none."""
    path = pathlib.Path(os.environ["QUADGATE_SHARED_DATA"]) / name
    return path if path.exists() else None


def toml_value(value):
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k} = {toml_value(v)}" for k, v in value.items()) + "}"
    return json.dumps(value) if isinstance(value, (str, list)) else str(value)


def train(folder, data, model, train, **data_keys):
    """Trains a run in `folder`/run and returns its last checkpoint."""
    tables = {
        "data": {"path": str(data), **data_keys},
        "model": model,
        "train": train,
        "output": {"dir": str(folder / "run")},
    }
    lines = []
    for table, keys in tables.items():
        lines.append(f"[{table}]")
        lines += [f"{key} = {toml_value(value)}" for key, value in keys.items()]
    run_file = folder / "run.toml"
    run_file.write_text("\n".join(lines) + "\n")
    quadgate("train", run_file, "--threads", 2, "--quiet")
    return folder / "run" / "checkpoint.h5"


def write_dataset(path, task, splits, **attributes):
    """Writes {split: (sequences, targets)}; ragged sequences are stored with offsets."""
    with h5py.File(path, "w") as file:
        file.attrs.update(format="quadgate-dataset", format_version=1, task=task, **attributes)
        for name, (sequences, targets) in splits.items():
            group = file.create_group(name)
            lengths = [len(sequence) for sequence in sequences]
            if len(set(lengths)) == 1:
                group["x"] = numpy.stack(sequences).astype(numpy.float32)
            else:
                group["x"] = numpy.concatenate(sequences).astype(numpy.float32)
                group["offsets"] = numpy.cumsum([0, *lengths], dtype=numpy.int64)
            group["y"] = targets


def read_split(path, name):
    """The sequences of a split as tensors, and its targets."""
    with h5py.File(path) as file:
        x, y = torch.from_numpy(file[name]["x"][()]), torch.from_numpy(file[name]["y"][()])
        if "offsets" not in file[name]:
            return list(x), y
        offsets = file[name]["offsets"][()]
    return [x[first:last] for first, last in zip(offsets, offsets[1:])], y


def state_dict(checkpoint):
    with h5py.File(checkpoint) as file:
        return {k: torch.from_numpy(v[()]) for k, v in file["state_dict"].items()}


def write_state_dict(path, module):
    """A checkpoint that [model] init takes."""
    with h5py.File(path, "w") as file:
        file.attrs.update(format="quadgate-checkpoint", format_version=1)
        group = file.create_group("state_dict")
        for name, tensor in module.state_dict().items():
            group[name] = tensor.numpy()


def recurrent_layers(cell, *sizes, **options):
    """torch.nn.LSTM, GRU or RNN, by the name that run files and checkpoints have for the cell."""
    if cell.startswith("rnn_"):
        return torch.nn.RNN(*sizes, nonlinearity=cell.removeprefix("rnn_"), **options)
    return {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[cell](*sizes, **options)


class Model(torch.nn.Module):
    """The same model in PyTorch: a linear head on h_n or on a pooled output, or on every step."""

    def __init__(self, input_size, output_size, hidden_size, tagging=False, cell="lstm",
                 pooling="last", **sizes):  # fmt: skip
        super().__init__()
        self.tagging = tagging
        self.pooling = pooling
        self.rnn = recurrent_layers(cell, input_size, hidden_size, batch_first=True, **sizes)
        self.directions = 2 if self.rnn.bidirectional else 1
        h_size = self.rnn.proj_size or hidden_size
        self.head = torch.nn.Linear(self.directions * h_size, output_size)

    def forward(self, sequences):
        lengths = [len(sequence) for sequence in sequences]
        padded = pad_sequence(sequences, batch_first=True)
        packed = pack_padded_sequence(padded, lengths, batch_first=True, enforce_sorted=False)
        output, states = self.rnn(packed)
        h_n = states[0] if isinstance(states, tuple) else states
        if not self.tagging and self.pooling == "last":
            return self.head(torch.cat(list(h_n[-self.directions :]), dim=1))
        output, _ = pad_packed_sequence(output, batch_first=True)
        rows = [row[:length] for row, length in zip(output, lengths)]
        if self.tagging:
            return self.head(torch.cat(rows))
        pool = {"mean": lambda row: row.mean(0), "max": lambda row: row.max(0).values}[self.pooling]
        return self.head(torch.stack([pool(row) for row in rows]))


def max_difference(actual, expected):
    return (torch.as_tensor(actual) - torch.as_tensor(expected)).abs().max().item()
