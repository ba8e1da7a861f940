"""quadgate in Python: recurrent layers for PyTorch, checkpoints as torch modules, data sets from
NumPy arrays.

Parts are imported when they are used, and with them torch or h5py.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import nn
    from .accelerate import accelerate, revert
    from .answers import evaluate, predict
    from .dataset import save_dataset
    from .model import Model, load
    from .training import Result, train
    from .tuning import TuneResult, tune

__version__ = "0.1.0"

__all__ = [
    "Model", "Result", "TuneResult", "accelerate", "evaluate", "load", "nn", "predict", "revert",
    "save_dataset", "train", "tune",
]  # fmt: skip

_HOMES = {
    "Model": "model",
    "Result": "training",
    "TuneResult": "tuning",
    "accelerate": "accelerate",
    "evaluate": "answers",
    "load": "model",
    "predict": "answers",
    "revert": "accelerate",
    "save_dataset": "dataset",
    "train": "training",
    "tune": "tuning",
}


def __getattr__(name: str) -> Any:
    if name == "nn":
        return importlib.import_module(".nn", __name__)
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(importlib.import_module("." + _HOMES[name], __name__), name)
    return value


def __dir__() -> list[str]:
    return sorted({*(name for name in globals() if name.startswith("__")), *__all__})
