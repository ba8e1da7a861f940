"""A data set and a run of it, for the tests of training; without the program there are none, and without the
packages of `scripts/setup --frameworks` none of these."""

import os
from importlib.util import find_spec

import pytest

import quadgate
from train_support import LABELS, ROWS

NEED_THE_PROGRAM = [
    "examples_test.py", "forecaster_test.py", "notebook_test.py", "sklearn_test.py", "train_data_test.py",
    "train_test.py", "tune_test.py",
]  # fmt: skip
collect_ignore = [] if os.environ.get("QUADGATE_BIN") else NEED_THE_PROGRAM
collect_ignore += [] if find_spec("darts") else ["frameworks_test.py"]


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "data.h5"
    quadgate.save_dataset(path, "classification", (ROWS[:40], LABELS[:40]),
                          valid=(ROWS[40:], LABELS[40:]))  # fmt: skip
    return path


@pytest.fixture
def config(tmp_path, data):
    return {
        "data": {"path": data},
        "model": {"hidden_size": 6, "num_layers": 2, "dropout": 0.25},
        "train": {"epochs": 4, "batch_size": 8},
        "output": {"dir": tmp_path / "run"},
    }
