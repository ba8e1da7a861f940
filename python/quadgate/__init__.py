"""quadgate's files in Python: checkpoints as torch modules, data sets from NumPy arrays."""

from .dataset import save_dataset
from .model import Model, load

__all__ = ["Model", "load", "save_dataset"]
