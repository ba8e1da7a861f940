"""Checkpoints, as HDF5 files."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Generator
from typing import Any

import h5py


@contextlib.contextmanager
def opened(path: str | os.PathLike[str]) -> Generator[Any]:
    """The file of a checkpoint, open for reading.

    Raises OSError, naming the file, if it cannot be read as HDF5, and ValueError if it is no checkpoint,
    or one of a newer program.
    """
    try:
        file: Any = h5py.File(path)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise OSError(f"{os.fspath(path)}: expected an HDF5 file: {error}") from error
    with file:
        found = file.attrs.get("format")
        if found != "quadgate-checkpoint":
            raise ValueError(f"{path}: format: expected quadgate-checkpoint, found {found}")
        if (version := int(file.attrs.get("format_version", 1))) > 4:
            raise ValueError(f"{path}: format_version: expected at most 4, found {version}")
        yield file
