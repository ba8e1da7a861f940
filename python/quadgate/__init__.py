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
    from .dataset import save_dataset
    from .model import Model, load

__all__ = ["Model", "accelerate", "load", "nn", "revert", "save_dataset"]

_HOMES = {
    "Model": "model",
    "accelerate": "accelerate",
    "load": "model",
    "revert": "accelerate",
    "save_dataset": "dataset",
}


def __getattr__(name: str) -> Any:
    if name == "nn":
        return importlib.import_module(".nn", __name__)
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(importlib.import_module("." + _HOMES[name], __name__), name)
    return value
