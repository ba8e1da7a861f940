"""Training as `quadgate train` does it, in this process."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import pathlib
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, cast

from . import _arrays, _program, _progress, _run_file
from ._extras import require

if TYPE_CHECKING:
    import pandas

    from .model import Model

Metrics = dict[str, Any]
Callback = Callable[[Metrics], Any]


class Result:
    """A run folder, of `train` or of the program."""

    def __init__(self, run_dir: str | os.PathLike[str]) -> None:
        self.run_dir = pathlib.Path(run_dir)

    def __repr__(self) -> str:
        return f"Result({str(self.run_dir)!r})"

    @property
    def last(self) -> pathlib.Path:
        """The checkpoint to go on from."""
        return self.run_dir / "checkpoint.h5"

    @property
    def best(self) -> pathlib.Path:
        """The best model by the valid split; without one the last."""
        path = self.run_dir / "best.h5"
        return path if path.exists() else self.last

    @property
    def metrics(self) -> pandas.DataFrame:
        """A row an epoch, with the columns of metrics.jsonl."""
        pandas = _extra("quadgate.Result.metrics", "pandas")
        lines = (self.run_dir / "metrics.jsonl").read_text().splitlines()
        return pandas.DataFrame([json.loads(line) for line in lines])

    def model(self) -> Model:
        """The best model as a torch module."""
        from .model import load

        return load(self.best)

    def plot(self) -> Any:
        """A figure of matplotlib: each metric over the epochs, of the train and the valid split."""
        pyplot = _extra("quadgate.Result.plot", "matplotlib.pyplot")
        metrics = self.metrics
        splits = ("train", "valid")
        names = [name.partition("_")[2] for name in metrics.columns if name.startswith(splits)]
        names = list(dict.fromkeys(names))
        figure, axes = pyplot.subplots(1, len(names), squeeze=False, figsize=(4 * len(names), 3))
        for name, axis in zip(names, axes[0]):
            for split in splits:
                if f"{split}_{name}" in metrics:
                    axis.plot(metrics["epoch"], metrics[f"{split}_{name}"], label=split)
            axis.set(xlabel="epoch", title=name)
            axis.legend()
        figure.tight_layout()
        if "inline" in pyplot.get_backend():  # which shows every open figure below a notebook's cell
            pyplot.close(figure)
        return figure


def train(
    config: Mapping[str, Any] | str | os.PathLike[str],
    *,
    callbacks: Callback | Iterable[Callback] = (),
    data: Any = None,
    resume: bool = False,
    threads: int | None = None,
    progress: bool | None = None,
    **overrides: Any,
) -> Result:
    """Trains a model as `quadgate train` does: the same numbers, files and checkpoints.

    config: a run file, or its tables: {"model": {"hidden_size": 64}, ...}.
    callbacks: are called after each epoch with its metrics, those of a line of metrics.jsonl. True
        from one of them stops the training.
    data: in the place of the run file's data.path: paths of a data set; a pair (x, y), x an array
        [n, T, I] or a list of arrays [T, I], or a series [L, C] or [L], as save_dataset's train; or a
        mapping of the arguments of save_dataset: {"train": (x, y), "valid": (x, y), "standardize":
        True}. Without a task, y [n] of integers or names makes a classification, [n, T] or a list of
        [T] a tagging, floats [n] or [n, O] a regression, and one array or frame a forecast.
    resume: goes on from the checkpoint in output.dir.
    progress: shows a bar of epochs, by tqdm; None: on a terminal and in a notebook, if there is tqdm.
    overrides: other values for keys of the run file: train={"lr": 0.01}, or **{"train.lr": 0.01}.
        None takes a key away.

    Ctrl-C, and what a callback raises, ends it with a checkpoint to resume from.
    Raises ValueError, naming key or split, expected and found, if config or data do not fit, and
    OSError if a file cannot be used.
    """
    name, tables = _run_file.read(config)
    tables = _run_file.merged(tables, overrides)
    listeners = _functions(callbacks)
    with contextlib.ExitStack() as stack:
        if data is not None:
            paths = _arrays.paths_of(data)
            if paths is None:
                paths = [stack.enter_context(_arrays.to_train(data))]
            tables = _run_file.merged(tables, {"data.path": paths[0] if len(paths) == 1 else paths})
        epochs = _run_file.table_of(tables, "train").get("epochs")
        total = epochs if isinstance(epochs, int) else None
        bar = stack.enter_context(_progress.bar("quadgate.train", "train", progress, total, "epoch"))
        if bar is not None:
            listeners.append(_mover(bar))

        def on_epoch(metrics: Metrics) -> bool:
            return any([listener(dict(metrics)) is True for listener in listeners])

        _program.train(name, _run_file.to_toml(tables), threads, resume, on_epoch)
    return Result(tables["output"]["dir"])


def _functions(callbacks: Any) -> list[Callback]:
    functions: list[Any] = [callbacks]
    if isinstance(callbacks, Iterable) and not callable(cast(Any, callbacks)):
        functions = list(cast(Iterable[Any], callbacks))
    for one in functions:
        if not callable(one):
            raise TypeError(f"callbacks: expected functions, found {type(one).__name__}")
    return functions


def _mover(bar: Any) -> Callback:
    """Moves a bar of epochs."""

    def show(metrics: Metrics) -> None:
        told = {
            name: value
            for name, value in metrics.items()
            if name.startswith(("train_", "valid_")) and value is not None
        }
        bar.set_postfix(told, refresh=False)
        bar.update(metrics["epoch"] - bar.n)

    return show


def _extra(part: str, module: str) -> Any:
    """A module that a part wants."""
    require(part, "train", module.partition(".")[0])
    return importlib.import_module(module)
