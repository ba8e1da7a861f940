"""Data that callers have in memory, as data sets for the program."""

from __future__ import annotations

import contextlib
import inspect
import os
import pathlib
import re
import sys
import tempfile
from collections.abc import Generator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, cast

_NAMES = ("class_names", "token_names")


def paths_of(data: Any) -> list[pathlib.Path] | None:
    """The files that data names; None if it is the data themselves."""
    if isinstance(data, (str, os.PathLike)):
        return [pathlib.Path(cast(str, data))]
    if not isinstance(data, (list, tuple)):
        return None
    paths = cast(Sequence[Any], data)
    if not paths or not all(isinstance(path, (str, os.PathLike)) for path in paths):
        return None
    return [pathlib.Path(path) for path in paths]


@contextlib.contextmanager
def folder() -> Generator[pathlib.Path]:
    """A folder for files that nobody else needs. Errors call its `data.h5` "data", and line 2 of its
    `X.csv`, behind the names, "X: row 0"."""
    with tempfile.TemporaryDirectory(prefix="quadgate-") as name:
        path = pathlib.Path(name)

        def as_argument(file: re.Match[str]) -> str:
            return file[1] + (f": row {int(file[2]) - 2}" if file[2] else "")

        try:
            yield path
        except (ValueError, OSError) as error:
            message = str(error)
            if str(path) not in message:
                raise
            is_of_rows = f"{name}/" in message and ".csv:" in message  # which the caller gave
            message = re.sub(rf"{re.escape(name)}/(\w+)\.(?:h5|csv|toml)(?::(\d+))?", as_argument, message)
            raise (ValueError if is_of_rows else type(error))(message.replace(f"{name}/", "")) from None


def to_train(data: Any) -> AbstractContextManager[pathlib.Path]:
    """The path of data in memory: what arguments_of takes."""
    return _in_memory("test", **arguments_of(data))


def arguments_of(data: Any) -> dict[str, Any]:
    """Those of save_dataset, from some of them, or from its train split alone."""
    arguments: dict[str, Any] = {"train": data}
    if isinstance(data, Mapping):
        arguments = dict(cast(Mapping[str, Any], data))
    _expect_known(arguments)
    train = _split("train", arguments["train"])
    names = _column_names("train", train)
    for name in ("train", "valid", "test"):
        if arguments.get(name) is not None:
            arguments[name] = split = _split(name, arguments[name])
            found = _column_names(name, split)
            if names and found and found != names:
                raise ValueError(f"{name}: expected columns {names}, as of train, found {found}")
    if names:
        arguments.setdefault("feature_names", names)
    arguments.setdefault("task", _task(train, arguments))
    return arguments


def _expect_known(arguments: Mapping[str, Any]) -> None:
    from .dataset import fill

    _, *known = inspect.signature(fill).parameters
    for name in arguments:
        if name not in known:
            raise ValueError(f"data: expected some of {', '.join(known)}, found {name!r}")
    if arguments.get("train") is None:
        found = ", ".join(name for name, value in arguments.items() if value is not None)
        raise ValueError(f"data: expected a train split, found {found or 'none'}")


def for_model(
    checkpoint: pathlib.Path, data: Any, needs_targets: bool
) -> AbstractContextManager[pathlib.Path]:
    """The path of data in memory: for a trained model, without a train split."""
    from ._checkpoint import opened

    with opened(checkpoint) as file:
        model = cast(dict[str, Any], dict(file["model"].attrs))
    names: dict[str, Any] = {name: list(model[name]) for name in _NAMES if name in model}
    if isinstance(data, Mapping):
        raise ValueError(f"data: expected arrays, found a {type(cast(Any, data)).__name__}")
    data = _split("data", data)
    if "horizon" in model:
        task = "forecast"
    elif "streams" in model:
        task = "language_model"
        del names["class_names"]
    else:
        task = str(model["task"])
        if not _is_pair(data):
            if needs_targets:
                raise ValueError("data: expected a pair (x, y), found one value")
            data = (data, None)
    if given := _column_names("data", data):
        names["feature_names"] = given
    return _in_memory("data", task=task, train=None, test=data, **names)


def _in_memory(called: str, /, **arguments: Any) -> AbstractContextManager[pathlib.Path]:
    """called: what errors call the test split.
    arguments: of save_dataset."""
    from . import _memory
    from .dataset import fill

    if (compression := arguments.get("compression")) is not None:
        raise ValueError(f"compression: expected none, as data in memory have, found {compression!r}")

    def write(file: Any) -> None:
        try:
            fill(file, **arguments)
        except ValueError as error:
            raise ValueError(re.sub(r"^test\b", called, str(error))) from None

    return _memory.data_set(write)


def _is_pair(split: Any) -> bool:
    return isinstance(split, tuple) and len(cast(Sequence[Any], split)) == 2


def _split(name: str, split: Any) -> Any:
    """A split whose frames have columns of numbers, each once, and whose tensors are no TensorDataset."""
    if _is_of_torch(split, "utils.data", "TensorDataset"):
        if len(split.tensors) not in (1, 2):
            raise ValueError(
                f"{name}: expected a TensorDataset of one or two tensors, found {len(split.tensors)}"
            )
        split = tuple(split.tensors) if len(split.tensors) > 1 else split.tensors[0]
    _expect_no_list_of_pairs(name, split)
    for part in split if _is_pair(split) else (split,):
        expect_items(name, part)
    if hasattr(split, "to_frame"):  # a series of pandas: one column
        split = split.to_frame()
    if _is_pair(split) and hasattr(split[0], "columns"):
        raise ValueError(
            f"{name}: expected an array [n, T, I], or a list with a sequence each, found a frame"
        )
    if hasattr(split, "columns"):
        _column_names(name, split)
        for column in split.columns:
            if split[column].dtype.kind not in "iufb":
                raise ValueError(
                    f"{name}: column {column!r}: expected numbers, found {split[column].dtype}"
                )
    return split


def expect_items(name: str, value: Any) -> None:
    """Raises ValueError at what holds items in another way than an array or a list, saying what to give
    instead."""
    kind = type(value).__name__
    if _is_of_torch(value, "nn.utils.rnn", "PackedSequence"):
        raise ValueError(f"{name}: expected arrays or a list, found a {kind} (unpack_sequence makes a list)")
    if _is_of_torch(value, "utils.data", "Dataset", "DataLoader"):
        raise ValueError(f"{name}: expected arrays or lists of its items, found a {kind}")


def _expect_no_list_of_pairs(name: str, split: Any) -> None:
    """Pairs of one shape may be sequences of two steps."""
    if not isinstance(split, (list, tuple)) or not split or _is_pair(cast(Any, split)):
        return
    first = cast(Sequence[Any], split)[0]
    if not _is_pair(first) or getattr(first[0], "ndim", 0) == 0:
        return
    if first[0].shape != getattr(first[1], "shape", ()):
        kind = type(cast(Any, split)).__name__
        raise ValueError(
            f"{name}: expected a pair (x, y), found a {kind} of pairs (tuple(zip(*pairs)) is one)"
        )


def _is_of_torch(value: Any, module: str, *names: str) -> bool:
    """Without torch, which may not be there."""
    classes = sys.modules.get(f"torch.{module}")
    return classes is not None and isinstance(value, tuple(getattr(classes, name) for name in names))


def _column_names(name: str, split: Any) -> list[str] | None:
    """Those of a frame, or of each of a list of them."""
    frames = split[0] if _is_pair(split) and isinstance(split[0], (list, tuple)) else [split]
    several = [_names_of(frame) for frame in cast(Sequence[Any], frames)]  # None of an array
    first = next((names for names in several if names is not None), None)
    for number, names in enumerate(several):
        if names not in (None, first):
            raise ValueError(
                f"{name}: expected columns {first}, as of the first, found {names} in number {number}"
            )
    columns = first or []
    for column in columns:
        if columns.count(column) > 1:
            raise ValueError(f"{name}: expected each column once, found two called {column!r}")
    return first


def _names_of(frame: Any) -> list[str] | None:
    columns: Any = getattr(frame, "columns", None)
    return None if columns is None else [str(name) for name in columns]


def _task(split: Any, arguments: Mapping[str, Any]) -> str:
    if not _is_pair(split):
        return "forecast" if arguments.get("token_names") is None else "language_model"
    from ._numbers import array

    y: Any = split[1]
    is_list = type(y) in (list, tuple)  # whose arrays may have different lengths
    labels = array("train: targets", y[0] if is_list and len(y) > 0 else y)
    if labels.dtype.kind == "f":
        return "regression"
    return "tagging" if labels.ndim + is_list > 1 else "classification"
