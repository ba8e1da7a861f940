"""Data sets for `quadgate train` from Python's data."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import h5py
import numpy

_TASKS = ("classification", "tagging", "regression", "forecast", "language_model")

Split = tuple[Any, Any]


def save_dataset(
    path: str | os.PathLike[str],
    task: str,
    train: Any,
    valid: Any = None,
    test: Any = None,
    *,
    class_names: Sequence[str] | None = None,
    feature_names: Sequence[str] | None = None,
    token_names: Sequence[str] | None = None,
    valid_fraction: float = 0,
    test_fraction: float = 0,
    standardize: bool = False,
    compression: str | None = None,
) -> None:
    """Writes a data set.

    task: "classification", "tagging" or "regression": each split is a pair (x, y). x is an array
        [n, T, I] or a list of arrays [T_i, I] of different lengths, or of integers [n, T], [T_i],
        where token_names is the vocabulary. y is [n] labels, a list of arrays of labels [T_i] for
        tagging, or [n, O] values. Labels are numbers, or names, which class_names numbers (sorted
        names of the train split if it is None).
        "forecast": train is the series, an array [L, C] or a pandas frame, whose last parts become
        the valid and test splits. "language_model": each split is [L] tokens.
    standardize: features get mean 0 and standard deviation 1 over the train split, measured in
        float64; the file's mean and std give the values back as x * std + mean.
    compression: "gzip" stores x in compressed chunks, which training reads with a shuffle_buffer.
    Raises ValueError, naming the split, if the parts do not fit each other.
    """
    if task not in _TASKS:
        raise ValueError(f"task: expected one of {', '.join(_TASKS)}, found {task}")
    if compression not in (None, "gzip"):
        raise ValueError(f'compression: expected None or "gzip", found {compression!r}')
    attributes: dict[str, Any] = {"format": "quadgate-dataset", "format_version": 1, "task": task}
    if token_names is not None:
        attributes["token_names"] = list(token_names)
    # Has room for many names, and is read by every HDF5 from 1.8 on: "latest" is not, with chunks.
    with h5py.File(path, "w", libver="v108") as file:
        if task == "forecast":
            columns = getattr(train, "columns", None)
            names = feature_names or (None if columns is None else [str(name) for name in columns])
            _write_series(file, train, attributes, names, valid_fraction, test_fraction, standardize,
                          compression)  # fmt: skip
        else:
            splits = {
                name: split
                for name, split in (("train", train), ("valid", valid), ("test", test))
                if split is not None
            }
            if feature_names is not None:
                attributes["feature_names"] = list(feature_names)
            _write_splits(file, task, splits, attributes, class_names, standardize, compression)
        file.attrs.update(attributes)


def _scale(rows: numpy.ndarray) -> tuple[numpy.ndarray, numpy.ndarray]:
    """Mean and standard deviation of each column; of one that does not vary, its value and 1."""
    wide = rows.astype(numpy.float64)
    constant = (wide == wide[0]).all(0)
    mean = numpy.where(constant, wide[0], wide.mean(0))
    return mean, numpy.where(constant, 1, (wide - mean).std(0))


def _standardize(x: numpy.ndarray, attributes: dict[str, Any]) -> numpy.ndarray:
    """x as the file holds it: with mean and std, x * std + mean are the values."""
    if "mean" in attributes:
        x = (x - attributes["mean"]) / attributes["std"]
    return x.astype(numpy.float32)


def _write_series(file: h5py.File, series: Any, attributes: dict[str, Any],
                  names: Sequence[str] | None, valid_fraction: float, test_fraction: float,
                  standardize: bool, compression: str | None) -> None:  # fmt: skip
    x = numpy.asarray(series, numpy.float64)
    if x.ndim != 2:
        raise ValueError(f"train: expected a series [L, C], found shape {x.shape}")
    begin_test = round(len(x) * (1 - test_fraction))
    begin_valid = round(len(x) * (1 - test_fraction - valid_fraction))
    if not 0 < begin_valid <= begin_test <= len(x):
        raise ValueError("valid_fraction and test_fraction: expected that rows to train are left")
    if standardize:
        attributes["mean"], attributes["std"] = _scale(x[:begin_valid])
        attributes["format_version"] = 3
    x = _standardize(x, attributes)
    attributes["feature_names"] = list(names or [str(i) for i in range(x.shape[1])])
    borders = {"train": (0, begin_valid), "valid": (begin_valid, begin_test),
               "test": (begin_test, len(x))}  # fmt: skip
    for name, (begin, end) in borders.items():
        if begin == end:
            continue
        group = file.create_group(name)
        group.attrs.update(begin=begin, end=end)
        if name == "train":
            _write_x(group, x, compression)
        else:
            group["x"] = file["train/x"]  # a second name of the same array


def _write_splits(file: h5py.File, task: str, splits: dict[str, Any], attributes: dict[str, Any],
                  class_names: Sequence[str] | None, standardize: bool,
                  compression: str | None) -> None:  # fmt: skip
    tokens = "token_names" in attributes
    if standardize and not tokens:
        attributes["mean"], attributes["std"] = _scale(numpy.concatenate(list(splits["train"][0])))
        attributes["format_version"] = 3
    numbers: dict[str, int] = {}
    for name, split in splits.items():
        group = file.create_group(name)
        if task == "language_model":
            _write_x(group, numpy.asarray(split, numpy.int32), compression)
            continue
        x, y = split
        rows = [numpy.asarray(row, numpy.int32 if tokens else numpy.float64) for row in x]
        if not tokens:
            rows = [_standardize(row, attributes) for row in rows]
        _write_rows(group, rows, compression)
        if len(rows) != len(y):
            raise ValueError(f"{name}: expected {len(rows)} targets, one a sequence, found {len(y)}")
        if task == "regression":
            values = numpy.asarray(y, numpy.float32)
            group["y"] = values[:, None] if values.ndim == 1 else values
            continue
        labels = numpy.concatenate([numpy.asarray(row) for row in y]) if task == "tagging" else y
        if task == "tagging" and len(labels) != sum(map(len, rows)):
            raise ValueError(f"{name}: expected a label for each step")
        group["y"] = _numbered(name, numpy.asarray(labels), numbers, class_names)
    if class_names is not None or numbers:
        attributes["class_names"] = list(class_names or numbers)


def _write_x(group: h5py.Group, x: numpy.ndarray, compression: str | None) -> None:
    """In one piece, or in compressed chunks of whole rows, about a mebibyte each."""
    if compression is None or x.size == 0:
        group["x"] = x
        return
    rows = min(len(x), max(1, 2**20 // (x[0].size * x.itemsize)))
    group.create_dataset("x", data=x, chunks=(rows, *x.shape[1:]), shuffle=True,
                         compression=compression)  # fmt: skip


def _write_rows(group: h5py.Group, rows: list[numpy.ndarray], compression: str | None) -> None:
    lengths = [len(row) for row in rows]
    if len(set(lengths)) == 1:
        _write_x(group, numpy.stack(rows), compression)
    else:
        _write_x(group, numpy.concatenate(rows), compression)
        group["offsets"] = numpy.cumsum([0, *lengths], dtype=numpy.int64)


def _numbered(split: str, labels: numpy.ndarray, numbers: dict[str, int],
              class_names: Sequence[str] | None) -> numpy.ndarray:  # fmt: skip
    """Labels as numbers; names get theirs from class_names or the first split."""
    if labels.dtype.kind not in "OUS":
        return labels.astype(numpy.int64)
    if not numbers:
        names = list(class_names) if class_names is not None else sorted(set(labels.tolist()))
        numbers.update({str(name): i for i, name in enumerate(names)})
    unknown = set(map(str, labels.tolist())) - set(numbers)
    if unknown:
        raise ValueError(f"{split}: expected labels of the train split, found {sorted(unknown)[:5]}")
    return numpy.array([numbers[str(label)] for label in labels.tolist()], numpy.int64)
