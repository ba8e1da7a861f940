"""Data sets for `quadgate train` from Python's data."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager, suppress
from numbers import Integral
from typing import Any

from ._extras import require

require("quadgate.save_dataset", "data", "h5py", "numpy")

import h5py
import numpy

_TASKS = ("classification", "tagging", "regression", "forecast", "language_model")

_IGNORED = -100  # a label that does not count


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
        Without anything to train, train is None, and of a forecast test the series. A model can
        predict where nobody knows the targets: y is None.
    standardize: features get mean 0 and standard deviation 1 over the train split, measured in
        float64; the file's mean and std give the values back as x * std + mean.
    compression: "gzip" stores x in compressed chunks, which training reads with a shuffle_buffer.
    Label -100 does not count. An existing file is replaced once the new one is whole.
    Raises ValueError, naming the split, if the parts do not fit each other, or labels or tokens
    are missing, no integers or out of range.
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
    attributes: dict[str, Any] = {"format": "quadgate-dataset", "format_version": 1, "task": task}
    if token_names is not None:
        attributes["token_names"] = _texts(token_names)
    if task == "forecast":
        columns = getattr(test if train is None else train, "columns", None)
        named = None if columns is None else [str(name) for name in columns]
        names = named if feature_names is None else feature_names
        if train is None:
            _write_test_series(file, test, attributes, names, compression)
        else:
            _write_series(file, train, attributes, names, valid_fraction, test_fraction,
                          standardize, compression)  # fmt: skip
    else:
        splits = {
            name: split
            for name, split in (("train", train), ("valid", valid), ("test", test))
            if split is not None
        }
        if feature_names is not None:
            attributes["feature_names"] = _texts(feature_names)
        _write_splits(file, task, splits, attributes, class_names, standardize, compression)
    file.attrs.update(attributes)


def _scale(rows: numpy.ndarray) -> tuple[numpy.ndarray, numpy.ndarray]:
    """Mean and standard deviation of each column; of one that does not vary, its value and 1."""
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


def _floats(values: Any) -> numpy.ndarray:
    """An array of floats, the very one that is given if it is one."""
    array = numpy.asarray(values)
    if array.dtype.kind == "c":
        raise ValueError(f"data: expected real numbers, found {array.dtype}")
    is_read = array.dtype.name in ("float32", "float64") and array.dtype.isnative
    return array if is_read else numpy.asarray(values, numpy.float64)


def _write_series(file: Any, series: Any, attributes: dict[str, Any],
                  names: Sequence[str] | None, valid_fraction: float, test_fraction: float,
                  standardize: bool, compression: str | None) -> None:  # fmt: skip
    x = _series("train", series)
    begin_test = round(len(x) * (1 - test_fraction))
    begin_valid = round(len(x) * (1 - test_fraction - valid_fraction))
    if not 0 < begin_valid <= begin_test <= len(x):
        raise ValueError("valid_fraction and test_fraction: expected that rows to train are left")
    if standardize:
        attributes["mean"], attributes["std"] = _scale(x[:begin_valid])
        attributes["format_version"] = 3
    x = _standardize(x, attributes)
    attributes["feature_names"] = _texts(range(x.shape[1]) if names is None else names)
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


def _write_test_series(file: Any, series: Any, attributes: dict[str, Any],
                       names: Sequence[str] | None, compression: str | None) -> None:  # fmt: skip
    x = _series("test", series)
    attributes["feature_names"] = _texts(range(x.shape[1]) if names is None else names)
    group = file.create_group("test")
    group.attrs.update(begin=0, end=len(x))
    _write_x(group, x, compression)


def _series(split: str, values: Any) -> numpy.ndarray:
    x = _floats(values)
    if x.ndim != 2:
        raise ValueError(f"{split}: expected a series [L, C], found shape {x.shape}")
    return x


def _write_splits(file: Any, task: str, splits: dict[str, Any], attributes: dict[str, Any],
                  class_names: Sequence[str] | None, standardize: bool,
                  compression: str | None) -> None:  # fmt: skip
    vocabulary = len(attributes["token_names"]) if "token_names" in attributes else None
    tokens = vocabulary is not None
    if standardize and not tokens:
        attributes["mean"], attributes["std"] = _scale(numpy.concatenate(list(splits["train"][0])))
        attributes["format_version"] = 3
    numbers: dict[str, int] = {}
    for name, split in splits.items():
        group = file.create_group(name)
        if task == "language_model":
            _write_x(group, _tokens(name, split, vocabulary), compression)
            continue
        x, y = split
        if isinstance(x, numpy.ndarray) and x.ndim == 3 and not tokens:
            rows = _floats(x)
            _expect_sequences(name, list(rows[:1]))
            _write_x(group, _standardize(rows, attributes), compression)
        elif tokens:
            rows = [_tokens(name, row, vocabulary) for row in x]
            _write_rows(group, rows, compression)
        else:
            rows = [_floats(row) for row in x]
            _expect_sequences(name, rows)
            _write_rows(group, [_standardize(row, attributes) for row in rows], compression)
        if y is None:
            continue
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
        attributes["class_names"] = _texts(numbers if class_names is None else class_names)


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


def _numbered(split: str, labels: numpy.ndarray, numbers: dict[str, int],
              class_names: Sequence[str] | None) -> numpy.ndarray:  # fmt: skip
    """Labels as numbers; names get theirs from class_names or the first split."""
    if labels.ndim != 1:
        raise ValueError(
            f"{split}: expected a label each, found shape {labels.shape} (of one-hot labels, argmax)"
        )
    if labels.dtype.kind in "iub":
        counting = labels[labels != _IGNORED]
        largest = None if class_names is None else len(class_names) - 1
        _expect_range(f"{split}: labels", counting, largest)
        return labels.astype(numpy.int64)
    if labels.dtype.kind not in "OUST":
        raise ValueError(f"{split}: expected labels that are integers or names, found {labels.dtype}")
    names = _texts(labels.tolist(), f"{split}: labels")
    if not numbers:
        classes = sorted(set(names)) if class_names is None else _texts(class_names)
        numbers.update({name: i for i, name in enumerate(classes)})
    unknown = set(names) - set(numbers)
    if unknown:
        raise ValueError(f"{split}: expected labels of the train split, found {sorted(unknown)[:5]}")
    return numpy.array([numbers[name] for name in names], numpy.int64)


def _tokens(split: str, row: Any, vocabulary: int | None) -> numpy.ndarray:
    """Places in the vocabulary."""
    tokens = numpy.asarray(row)
    if tokens.dtype.kind not in "iu" and tokens.size > 0:
        raise ValueError(f"{split}: expected tokens that are integers, found {tokens.dtype}")
    _expect_range(f"{split}: tokens", tokens, None if vocabulary is None else vocabulary - 1)
    return tokens.astype(numpy.int32)


def _expect_range(what: str, numbers: numpy.ndarray, largest: int | None) -> None:
    if numbers.size == 0 or (numbers.min() >= 0 and (largest is None or numbers.max() <= largest)):
        return
    limit = "at least 0" if largest is None else f"from 0 to {largest}"
    found = numbers.min() if numbers.min() < 0 else numbers.max()
    raise ValueError(f"{what}: expected {limit}, found {found}")


def _texts(names: Iterable[Any], what: str = "names") -> list[str]:
    """Names as text: bytes are UTF-8, whole numbers their digits. Others, NaN say, are missing."""
    texts: list[str] = []
    for name in names:
        if isinstance(name, bytes):
            texts.append(name.decode())
        elif isinstance(name, (str, Integral)):
            texts.append(str(name))
        else:
            raise ValueError(f"{what}: expected text, found {name!r}")
    return texts


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
