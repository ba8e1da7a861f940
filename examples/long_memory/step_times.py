"""Times one training step of each cell at equal sizes, as JSON: step_times.py QUADGATE [--quick]

Rounds of `quadgate bench`, each of which takes every cell in turn, so that what else the machine does
falls on all of them; then the phases of a step, from `quadgate scale`. One thread.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

CELLS = {
    "RNN (tanh)": ["--cell", "rnn_tanh"],
    "GRU": ["--cell", "gru"],
    "LSTM": ["--cell", "lstm"],
    "Bi-LSTM": ["--cell", "lstm", "--bidirectional"],
}
SIZES = {"seq-len": 50, "batch": 64, "input-size": 256, "hidden-size": 256}
QUICK = {"seq-len": 10, "batch": 16, "input-size": 256, "hidden-size": 256}


def bench(quadgate, flags, seconds):
    command = [quadgate, "bench", *flags, "--threads", "1", "--seconds", seconds, "--json"]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def phases(quadgate, flags, seconds):
    """The share of a step that each phase takes."""
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder) / "scale.json"
        command = [quadgate, "scale", *flags, "--threads", "1", "--repeats", "3",
                   "--seconds", seconds, "-o", str(report)]  # fmt: skip
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return json.loads(report.read_text())["points"][0]["phases"]


def main():
    quadgate, quick = sys.argv[1], "--quick" in sys.argv[2:]
    sizes, rounds, seconds = (QUICK, 2, "0.05") if quick else (SIZES, 9, "1")
    shape = [text for name, size in sizes.items() for text in (f"--{name}", str(size))]
    cells = {name: {"rounds": []} for name in CELLS}
    for number in range(rounds):
        for name, flags in CELLS.items():
            cells[name]["rounds"].append(bench(quadgate, shape + flags, seconds))
        print(f"times: round {number + 1}/{rounds}", file=sys.stderr)
    for name, flags in CELLS.items():
        cells[name]["phases"] = phases(quadgate, shape + flags, seconds)
    print(json.dumps({"sizes": sizes, "cells": cells}))


main()
