"""Data sets for `quadgate train` from Python's data."""

from __future__ import annotations

import os
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, cast

from ._extras import require

require("quadgate.save_dataset", "data", "h5py", "numpy")

import h5py
import numpy

from ._labels import numbered, tokens
from ._numbers import array, floats, is_tensor, texts
from ._options import fraction_of

_TASKS = ("classification", "tagging", "regression", "forecast", "language_model")


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
        "forecast": train is the series, an array [L, C] or [L] or a pandas frame, whose last parts become
        the valid and test splits. "language_model": each split is [L] tokens.
        Without anything to train, train is None, and of a forecast test the series. A model can
        predict where nobody knows the targets: y is None.
    standardize: features get mean 0 and standard deviation 1 over the train split, measured in
        float64; the file's mean and std give the values back as x * std + mean.
    compression: "gzip" stores x in compressed chunks, which training reads with a shuffle_buffer.
    Label -100 does not count. An existing file is replaced once the new one is whole.
    Raises ValueError, naming the split, if the parts do not fit each other, values are no numbers (text
    is none, "1.5" neither), or labels or tokens are missing, no integers or out of range.
    """
    if compression not in (None, "gzip"):
        raise ValueError(f'compression: expected None or "gzip", found {compression!r}')
    # Has room for many names, and is read by every HDF5 from 1.8 on: "latest" is not, with chunks.
    with _replacing(path) as beside, h5py.File(beside, "w", libver="v108") as file:
        fill(file, task, train, valid, test, class_names=class_names, feature_names=feature_names,
             token_names=token_names, valid_fraction=valid_fraction, test_fraction=test_fraction,
             standardize=standardize, compression=compression)  # fmt: skip


def fill(
    file: Any,
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
    """Writes a data set into an empty file of h5py, or one in memory (_memory.File)."""
    if task not in _TASKS:
        raise ValueError(f"task: expected one of {', '.join(_TASKS)}, found {task}")
    if standardize and train is None:
        raise ValueError("train: expected what to standardize by, found None")
    attributes: dict[str, Any] = {"format": "quadgate-dataset", "format_version": 1, "task": task}
    if token_names is not None:
        attributes["token_names"] = texts("token_names", token_names)
    if feature_names is not None:
        attributes["feature_names"] = texts("feature_names", feature_names)
    classes = None if class_names is None else texts("class_names", class_names)
    fractions = {"valid_fraction": valid_fraction, "test_fraction": test_fraction}
    splits = {
        name: split
        for name, split in (("train", train), ("valid", valid), ("test", test))
        if split is not None
    }
    if not splits:
        raise ValueError("train: expected data, found None")
    if task == "forecast":
        _write_forecast(file, splits, fractions, attributes, standardize, compression)
    else:
        for name, fraction in fractions.items():
            if fraction != 0:
                raise ValueError(f"{name}: expected none but for a forecast, found {fraction!r}")
        _write_splits(file, task, splits, attributes, classes, standardize, compression)
    file.attrs.update(attributes)


def _scale(rows: numpy.ndarray) -> tuple[numpy.ndarray, numpy.ndarray]:
    """Mean and standard deviation of each column; of one that does not vary, its value and 1."""
    if len(rows) == 0:
        raise ValueError("train: expected rows to standardize by, found none")
    wide = rows.astype(numpy.float64)
    if not numpy.isfinite(wide).all():
        row, column = numpy.argwhere(~numpy.isfinite(wide))[0]
        raise ValueError(f"train: expected finite numbers, found {wide[row, column]} in column {column}")
    constant = (wide == wide[0]).all(0)
    mean: numpy.ndarray = wide.mean(0)
    mean[constant] = wide[0, constant]
    std: numpy.ndarray = (wide - mean).std(0)
    std[constant] = 1
    return mean, std


def _standardize(x: numpy.ndarray, attributes: dict[str, Any]) -> numpy.ndarray:
    """x as the file holds it: with mean and std, x * std + mean are the values."""
    if "mean" not in attributes:
        return x
    scaled = numpy.empty(x.shape, numpy.float32)
    rows = max(1, 2**20 // max(1, x[:1].size))  # that are float64 at a time
    for i in range(0, len(x), rows):
        scaled[i : i + rows] = (x[i : i + rows] - attributes["mean"]) / attributes["std"]
    return scaled


def _write_forecast(file: Any, splits: dict[str, Any], fractions: dict[str, float],
                    attributes: dict[str, Any], standardize: bool,
                    compression: str | None) -> None:  # fmt: skip
    first, *others = splits
    if others:
        raise ValueError(f"{others[0]}: expected none, a forecast's is the last {others[0]}_fraction of train")
    columns = getattr(splits[first], "columns", None)
    if columns is not None:
        attributes.setdefault("feature_names", [str(name) for name in columns])
    x = floats(first, splits[first])
    if x.ndim == 1:
        x = x[:, None]
    if x.ndim != 2:
        raise ValueError(f"{first}: expected a series [L, C], found shape {x.shape}")
    attributes.setdefault("feature_names", [str(i) for i in range(x.shape[1])])
    borders = _borders(len(x), fractions) if first == "train" else {first: (0, len(x))}
    if standardize:
        attributes["mean"], attributes["std"] = _scale(x[: borders["train"][1]])
        attributes["format_version"] = 3
    x = _standardize(x, attributes)
    for name, (begin, end) in borders.items():
        group = file.create_group(name)
        group.attrs.update(begin=begin, end=end)
        if name == first:
            _write_x(group, x, compression)
        else:
            group["x"] = file[f"{first}/x"]  # a second name of the same array


def _borders(length: int, fractions: dict[str, float]) -> dict[str, tuple[int, int]]:
    """Where the splits of a series begin and end."""
    valid, test = (fraction_of(name, fraction) for name, fraction in fractions.items())
    begin_test, begin_valid = round(length * (1 - test)), round(length * (1 - test - valid))
    if not 0 < begin_valid <= begin_test <= length:
        raise ValueError("valid_fraction and test_fraction: expected that rows to train are left")
    borders = {"train": (0, begin_valid), "valid": (begin_valid, begin_test), "test": (begin_test, length)}
    return {name: (begin, end) for name, (begin, end) in borders.items() if begin < end}


def _write_splits(file: Any, task: str, splits: dict[str, Any], attributes: dict[str, Any],
                  class_names: list[str] | None, standardize: bool,
                  compression: str | None) -> None:  # fmt: skip
    vocabulary = len(attributes["token_names"]) if "token_names" in attributes else None
    numbers: dict[str, int] = {}
    for name, split in splits.items():
        group = file.create_group(name)
        if task == "language_model":
            _write_x(group, tokens(name, split, vocabulary), compression)
            continue
        x, y = _pair(name, split)
        rows = _sequences(name, x, vocabulary)
        if standardize and vocabulary is None and name == "train":
            attributes["mean"], attributes["std"] = _scale(numpy.concatenate(rows))
            attributes["format_version"] = 3
        if isinstance(rows, numpy.ndarray):
            _write_x(group, _standardize(rows, attributes), compression)
        else:
            _write_rows(group, [_standardize(row, attributes) for row in rows], compression)
        if y is not None:
            group["y"] = _targets(name, task, rows, y, numbers, class_names)
    if class_names is not None or numbers:
        attributes["class_names"] = list(numbers) if class_names is None else class_names


def _pair(split: str, value: Any) -> Sequence[Any]:
    kind = type(value).__name__
    if not isinstance(value, (list, tuple)) or len(cast(Sequence[Any], value)) != 2:
        raise ValueError(f"{split}: expected a pair (x, y), found {kind}")
    return cast(Sequence[Any], value)


def _sequences(split: str, x: Any, vocabulary: int | None) -> numpy.ndarray | list[numpy.ndarray]:
    """An array [n, T, I], or arrays [T_i, I]; of tokens arrays [T_i]."""
    if is_tensor(x):
        x = array(split, x)
    if not hasattr(x, "__iter__") or getattr(x, "ndim", 1) == 0:
        raise ValueError(f"{split}: expected sequences, found {type(x).__name__}")
    if vocabulary is not None:
        return [tokens(split, row, vocabulary) for row in x]
    if isinstance(x, numpy.ndarray) and x.ndim == 3:
        whole = floats(split, x)
        _expect_sequences(split, list(whole[:1]))
        return whole
    rows = [floats(split, row) for row in x]
    _expect_sequences(split, rows)
    return rows


def _targets(split: str, task: str, rows: numpy.ndarray | list[numpy.ndarray], y: Any,
             numbers: dict[str, int], class_names: list[str] | None) -> numpy.ndarray:  # fmt: skip
    if not hasattr(y, "__len__") or getattr(y, "ndim", 1) == 0:
        raise ValueError(f"{split}: expected targets, one a sequence, found {type(y).__name__}")
    if len(rows) != len(y):
        raise ValueError(f"{split}: expected {len(rows)} targets, one a sequence, found {len(y)}")
    if task == "regression":
        values = floats(f"{split}: targets", y).astype(numpy.float32)
        return values[:, None] if values.ndim == 1 else values
    what = f"{split}: labels"
    if task == "classification":
        return numbered(split, array(what, y), numbers, class_names)
    labels = [array(what, row) for row in y]
    if [row.shape[:1] for row in labels] != [(len(row),) for row in rows]:
        raise ValueError(f"{split}: expected a label for each step")
    return numbered(split, numpy.concatenate(labels), numbers, class_names)


def _expect_sequences(split: str, rows: list[numpy.ndarray]) -> None:
    if not rows:
        raise ValueError(f"{split}: expected sequences, found none")
    for i, row in enumerate(rows):
        if row.ndim != 2 or row.shape[1] != rows[0].shape[1]:
            features = rows[0].shape[1] if rows[0].ndim == 2 else "I"
            raise ValueError(
                f"{split}: expected sequences of shape [T, {features}], found {row.shape} as number {i}"
            )


def _write_x(group: Any, x: numpy.ndarray, compression: str | None) -> None:
    """In one piece, or in compressed chunks of whole rows, about a mebibyte each. In memory floats of
    64 bits stay some, which the program makes float32 as it reads them."""
    if isinstance(group, h5py.Group) and x.dtype == numpy.float64:
        x = x.astype(numpy.float32)
    if compression is None or x.size == 0:
        group["x"] = x
        return
    rows = min(len(x), max(1, 2**20 // (x[0].size * x.itemsize)))
    group.create_dataset("x", data=x, chunks=(rows, *x.shape[1:]), shuffle=True,
                         compression=compression)  # fmt: skip


def _write_rows(group: Any, rows: list[numpy.ndarray], compression: str | None) -> None:
    lengths = [len(row) for row in rows]
    narrow = numpy.float32 if rows and rows[0].dtype.kind == "f" else numpy.int32
    if len(set(lengths)) == 1:
        _write_x(group, numpy.stack(rows, dtype=narrow, casting="same_kind"), compression)
    else:
        _write_x(group, numpy.concatenate(rows, dtype=narrow, casting="same_kind"), compression)
        group["offsets"] = numpy.cumsum([0, *lengths], dtype=numpy.int64)


@contextmanager
def _replacing(path: str | os.PathLike[str]) -> Generator[str]:
    """A path beside `path`, whose file takes that place in the end unless something is raised."""
    beside = f"{os.fspath(path)}.{os.getpid()}.tmp"
    try:
        yield beside
        os.replace(beside, path)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(beside)
