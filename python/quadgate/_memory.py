"""Data sets in memory, which the program's commands in this process open as if they were files."""

from __future__ import annotations

import contextlib
import ctypes
import itertools
import pathlib
from collections.abc import Callable, Generator
from typing import Any

import numpy

from . import _program

_numbers = itertools.count(1)


class Group:
    """As far as dataset.fill uses it, a group of h5py."""

    def __init__(self) -> None:
        self.attrs: dict[str, Any] = {}
        self.arrays: dict[str, numpy.ndarray] = {}

    def __setitem__(self, name: str, array: numpy.ndarray) -> None:
        self.arrays[name] = numpy.ascontiguousarray(array)


class File(Group):
    """As far as dataset.fill uses it, a file of h5py, whose arrays stay where they are."""

    def __init__(self) -> None:
        super().__init__()
        self.groups: dict[str, Group] = {"": self}

    def create_group(self, name: str) -> Group:
        self.groups[name] = group = Group()
        return group

    def __getitem__(self, name: str) -> numpy.ndarray:
        group, _, array = name.rpartition("/")
        return self.groups[group].arrays[array]


@contextlib.contextmanager
def data_set(fill: Callable[[File], None]) -> Generator[pathlib.Path]:
    """The path by which commands open what fill has written. Errors call it "data"."""
    file = File()
    fill(file)
    name = f"data in memory {next(_numbers)}"
    with contextlib.closing(_program.MemoryFile(name)) as memory:
        for group, content in file.groups.items():
            for attribute, value in content.attrs.items():
                memory.set(group, attribute, value)
            for array, values in content.arrays.items():
                shape = (ctypes.c_int64 * values.ndim)(*values.shape)
                memory.add(f"{group}/{array}", str(values.dtype), shape, values.ctypes.data)
        try:
            yield pathlib.Path(name)
        except (ValueError, OSError) as error:
            if name not in str(error):
                raise
            raise ValueError(str(error).replace(name, "data")) from None
