"""HDF5 files, checkpoints among them."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Generator
from typing import Any

import h5py


@contextlib.contextmanager
def hdf5(path: str | os.PathLike[str]) -> Generator[Any]:
    """A file, open for reading. Raises OSError, naming it, if it cannot be read as HDF5."""
    try:
        file: Any = h5py.File(path)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise OSError(f"{os.fspath(path)}: expected an HDF5 file: {error}") from error
    with file:
        yield file


@contextlib.contextmanager
def opened(path: str | os.PathLike[str]) -> Generator[Any]:
    """The file of a checkpoint, as hdf5() opens it. Raises ValueError if it is no checkpoint, or one of a
    newer program."""
    with hdf5(path) as file:
        found = file.attrs.get("format")
        if found != "quadgate-checkpoint":
            raise ValueError(f"{path}: format: expected quadgate-checkpoint, found {found}")
        if (version := int(file.attrs.get("format_version", 1))) > 4:
            raise ValueError(f"{path}: format_version: expected at most 4, found {version}")
        yield file
