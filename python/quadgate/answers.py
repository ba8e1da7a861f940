"""What a trained model says of data, as `quadgate evaluate` and `quadgate predict` do."""

from __future__ import annotations

import contextlib
import os
import pathlib
from collections.abc import Generator
from typing import Any, cast

from ._extras import require

require("quadgate.predict", "data", "h5py", "numpy")

import h5py
import numpy

from . import _arrays, _program
from .training import Result

Source = Result | str | os.PathLike[str]


def evaluate(
    model: Source,
    data: Any,
    *,
    split: str | None = None,
    threads: int | None = None,
    top_k: int | None = None,
    season: int | None = None,
) -> dict[str, Any]:
    """The metrics of a model on data, as `quadgate evaluate --json` tells them.

    model: a checkpoint, or a Result, of which the best model is taken.
    data: paths of a data set; or a pair (x, y), x an array [n, T, I] or a list of arrays [T, I], y [n],
        [n, O] or a list of [T]; of a forecast the series [L, C], of a language model the tokens [L]; as
        save_dataset takes them, in original units.
    split: of a data set; None: test, or the only one that there is.
    top_k, season: as of the program.

    Raises ValueError if the data are not what the model was trained on, OSError if a file cannot be
    used.
    """
    with _files(model, data, needs_targets=True) as (checkpoint, paths, _):
        return _program.evaluate(checkpoint, paths, split, threads, top_k, season)


def predict(
    model: Source,
    data: Any,
    *,
    split: str | None = None,
    threads: int | None = None,
    steps: int | None = None,
    windows: bool = False,
) -> dict[str, numpy.ndarray]:
    """The predictions of a model for data, under the names of the file that `quadgate predict -o
    NAME.h5` writes.

    model, data, split: as of `evaluate`; y may be left out: x alone.

    Of classes: `logits` [items, C], `predicted` [items] and `probability` [items], with `offsets`
    [n + 1] for tagging, and `class_names`. Of values: `values` [n, O], and `value_names`. Of a
    forecast what comes after the last rows, or with `windows` after those of each window:
    `prediction` [W, steps, targets], `target_names`, and a band each. Of a language model:
    `surprisal` [L].
    """
    with _files(model, data, needs_targets=False) as (checkpoint, paths, folder):
        output = folder / "predictions.h5"
        _program.predict(checkpoint, paths, split, output, threads, steps, windows)
        return read_predictions(output)


def read_predictions(path: pathlib.Path) -> dict[str, numpy.ndarray]:
    """Arrays and names of a file of predictions."""
    file: Any
    with h5py.File(path) as file:
        answer: dict[str, numpy.ndarray] = {name: values[()] for name, values in file.items()}
        for name, value in file.attrs.items():
            if name.endswith("_names"):
                answer[name] = numpy.asarray(value, str)
    return answer


@contextlib.contextmanager
def _files(
    model: Source, data: Any, needs_targets: bool
) -> Generator[tuple[pathlib.Path, list[pathlib.Path], pathlib.Path]]:
    """The checkpoint, the files of the data and a folder."""
    if not isinstance(cast(Any, model), (Result, str, os.PathLike)):
        kind = type(model).__name__
        raise TypeError(
            f"model: expected a Result or the path of a checkpoint, Result.best say, found a {kind}"
        )
    checkpoint = model.best if isinstance(model, Result) else pathlib.Path(model)
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(_arrays.folder())
        paths = _arrays.paths_of(data)
        if paths is None:
            paths = [stack.enter_context(_arrays.for_model(checkpoint, data, needs_targets))]
        yield checkpoint, paths, folder
