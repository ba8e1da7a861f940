"""A search for the settings that train best, by Optuna."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import pathlib
import shutil
import tomllib
from collections.abc import Generator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from ._extras import require

require("quadgate.tune", "tune", "optuna", "h5py", "numpy")

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution

from . import _arrays, _program, _progress, _run_file, _samplers, _study
from ._checkpoint import hdf5
from ._options import flag_of, integer_of
from ._trials import Trials, best_of, ended
from .training import Result

if TYPE_CHECKING:
    import pandas

_logger = logging.getLogger("quadgate")

Choice = None | bool | int | float | str
Space = Mapping[str, BaseDistribution | Sequence[Choice]]

_LOSS_KEYS = {
    f"train.{key}"
    for key in ("loss", "label_smoothing", "class_weights", "ignore_index", "huber_delta", "quantiles")
}


class TuneResult:
    """What a search has found.

    study: Optuna's, for its plots and importances.
    """

    def __init__(self, study: optuna.Study, folder: pathlib.Path) -> None:
        self.study = study
        self._folder = folder

    def __repr__(self) -> str:
        return f"TuneResult(best_value={self.best_value}, best_params={self.best_params})"

    @property
    def best_params(self) -> dict[str, Any]:
        """Of the space's keys, the values of the best trial."""
        return self.study.best_params

    @property
    def best_value(self) -> float:
        """The metric of the best trial, in its best epoch."""
        return self.study.best_value

    @property
    def best(self) -> Result:
        """The training of the best trial, with its model."""
        return Result(self._folder / f"trial-{self.study.best_trial.number}")

    @property
    def run_file(self) -> pathlib.Path:
        """The run file of the best trial, as `quadgate train` takes it."""
        return self._folder / "best.toml"

    @property
    def trials(self) -> pandas.DataFrame:
        """A row a trial: number, value, duration, params_KEY each and state."""
        require("quadgate.TuneResult.trials", "tune", "pandas")
        columns = ("number", "value", "duration", "params", "state")
        study: Any = self.study
        return study.trials_dataframe(columns)


def tune(
    config: Mapping[str, Any] | str | os.PathLike[str],
    space: Space,
    n_trials: int,
    *,
    sampler: str = "tpe",
    data: Any = None,
    n_jobs: int | None = None,
    prune: bool = True,
    seed: int = 1,
    storage: str | os.PathLike[str] | None = None,
    progress: bool | None = None,
    **overrides: Any,
) -> TuneResult:
    """Trains with settings out of a space, n_trials times in all, and keeps the best training.

    config, data, overrides: as of `train`. Trials go by the run file's train.monitor over the valid
        split, in a trial's best epoch; without one by the loss. output.dir gets best.toml, the run
        file of the best trial, its run folder, the study and data that are no files.
    space: distributions of Optuna, or lists of choices, under keys of the run file:
        {"train.lr": FloatDistribution(1e-4, 1e-1, log=True), "model.cell": ["lstm", "gru"]}. None
        as a choice takes the key away.
    sampler: "tpe", "random", "cmaes", "qmc", "nsgaii" or "gp", of Optuna, or "gwo", grey wolves.
    n_jobs: trials beside each other, which share the cores; None: one to a core.
    prune: ends a trial after an epoch that is worse than the median of the trials before.
    seed: of the sampler. That of the trainings is train.seed.
    storage: a file, or a URL of Optuna's; None: study.log in output.dir.
    progress: shows a bar of trials, as that of `train`.

    The same call goes on with a study that was stopped. Ctrl-C ends it after the steps in progress
    and returns what was found, or raises KeyboardInterrupt before there is anything.
    A trial whose settings do not fit together, or whose training diverges, fails with a warning.
    Raises ValueError, naming argument or key, expected and found, if arguments do not fit, all
    trials fail, or the study in storage is another search; and OSError if a file cannot be used.
    """
    _, tables = _run_file.read(config)
    tables = _run_file.merged(tables, overrides)
    n_trials, seed = integer_of("n_trials", n_trials, 1), integer_of("seed", seed, 0)
    n_jobs = None if n_jobs is None else integer_of("n_jobs", n_jobs, 1)
    prune = flag_of("prune", prune)
    _progress.expect(progress)
    _samplers.expect(sampler)
    _study.expect_storage(storage)
    if not isinstance(cast(Any, space), Mapping):
        raise TypeError(f"space: expected a mapping, found {type(space).__name__}")
    distributions = {key: _distribution(key, values) for key, values in space.items()}
    monitor = _run_file.table_of(tables, "train").get("monitor") or "loss"
    _expect_comparable(distributions, monitor)
    folder = _output_dir(tables)
    search = {"sampler": sampler, "seed": seed, "prune": prune}
    if sampler == "gwo":
        search["n_trials"] = n_trials  # on which their steps depend
    with contextlib.ExitStack() as stack:
        tables = _run_file.merged(tables, {"train.monitor": monitor})
        made, paths = stack.enter_context(_files(tables, data, folder))
        if paths:
            tables = _run_file.merged(tables, {"data.path": paths[0] if len(paths) == 1 else paths})
        files = [made] if made else paths
        settings = _plain(tables, distributions, files, search)
        _expect_valid_split(files, "data" if made else None)
        stack.enter_context(_study.quiet_optuna())
        folder.mkdir(parents=True, exist_ok=True)
        study = _study.opened(folder, storage, monitor, prune, settings)
        if made:
            shutil.move(made, paths[0])
        bar = stack.enter_context(
            _progress.bar("quadgate.tune", "tune", progress, n_trials, "trial")
        )

        def on_end() -> None:
            if bar is not None:
                bar.update(len(trials.values()) - bar.n)
                best = best_of(study)
                bar.set_postfix({"best": best.value} if best else {})

        cores = _program.default_threads()
        jobs = n_jobs or min(cores, n_trials)
        threads = max(cores // jobs, 1)
        trials = Trials(study, distributions, tables, f"valid_{monitor}", jobs, threads, on_end)
        on_end()
        with _program.interrupts(trials.stop.set):
            _search(trials, sampler, distributions, n_trials, seed)
        return _result(trials, folder, n_trials)


def _distribution(key: str, values: Any) -> BaseDistribution:
    """Of a value of the space."""
    if not isinstance(cast(Any, key), str):
        raise ValueError(f"space: expected keys that are text, found {key!r}")
    _program.expect_known_key(key, "space")
    if isinstance(values, list):
        choices = cast(list[Any], values)
    elif isinstance(values, CategoricalDistribution):
        choices = values.choices
    elif isinstance(values, BaseDistribution):
        return values
    else:
        raise ValueError(
            f"space: {key}: expected a distribution of Optuna or a list, found {type(values).__name__}"
        )
    if not choices:
        raise ValueError(f"space: {key}: expected choices, found none")
    for choice in choices:
        if choice is not None and not isinstance(choice, (bool, int, float, str)):
            raise ValueError(
                f"space: {key}: expected numbers, texts, flags or None, found {type(choice).__name__}"
            )
    return CategoricalDistribution(choices)


def _expect_comparable(space: Mapping[str, BaseDistribution], monitor: str) -> None:
    """That trials differ in what one number can tell."""
    if not space:
        raise ValueError("space: expected keys of the run file, found none")
    for key in ("train.monitor", "output.dir"):
        if key in space:
            raise ValueError(f"space: {key}: expected one for all trials")
    of_loss = sorted(_LOSS_KEYS & space.keys())
    if monitor == "loss" and of_loss:
        raise ValueError(
            f"space: {of_loss[0]}: expected another train.monitor than the loss, which cannot be"
            " compared then"
        )
    if not isinstance(cast(Any, monitor), str) or monitor.startswith("coverage_"):
        raise ValueError(f"train.monitor: expected an error or a score, found {monitor!r}")


def _output_dir(tables: Mapping[str, Any]) -> pathlib.Path:
    folder = _run_file.table_of(tables, "output").get("dir")
    if not isinstance(folder, (str, os.PathLike)):
        raise ValueError(f"output.dir: expected a path, found {folder!r}")
    return pathlib.Path(cast(str, folder))


@contextlib.contextmanager
def _files(
    tables: Mapping[str, Any], data: Any, folder: pathlib.Path
) -> Generator[tuple[pathlib.Path | None, list[pathlib.Path]]]:
    """The files of the data. Those of arrays lie elsewhere until they are known to be the study's."""
    given = _run_file.table_of(tables, "data").get("path") if data is None else data
    paths = _arrays.paths_of(given)
    if paths is not None or data is None:
        yield None, paths or []
        return
    from .dataset import save_dataset

    with _arrays.folder() as temporary:
        made = temporary / "data.h5"
        save_dataset(made, **_arrays.arguments_of(data))
        yield made, [folder / "data.h5"]


def _expect_valid_split(files: Sequence[pathlib.Path], called: str | None) -> None:
    """called: what an error calls the files."""
    splits: set[str] = set()
    for path in files:
        with hdf5(path) as file:
            splits |= set(file)
    if files and "valid" not in splits:
        found = ", ".join(sorted(splits)) or "none"
        raise ValueError(f"{called or files[0]}: expected a valid split, which trials go by, found {found}")


def _plain(
    tables: Mapping[str, Any],
    space: Mapping[str, BaseDistribution],
    files: Sequence[pathlib.Path],
    search: Mapping[str, Any],
) -> dict[str, Any]:
    """What makes one search, under the names that messages call it."""
    settings = _flat(tomllib.loads(_run_file.to_toml(tables)))
    for key, distribution in space.items():
        settings[f"space: {key}"] = str(distribution)
    for number, path in enumerate(files):
        with path.open("rb") as file:
            settings[f"data: checksum {number}"] = hashlib.file_digest(file, "sha256").hexdigest()
    return settings | dict(search)


def _flat(tables: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in tables.items():
        is_table = isinstance(value, Mapping)
        flat |= _flat(cast(Any, value), f"{prefix}{key}.") if is_table else {prefix + key: value}
    return flat


def _search(
    trials: Trials, sampler: str, space: Mapping[str, BaseDistribution], n_trials: int, seed: int
) -> None:
    if sampler == "gwo":
        from ._wolves import search

        search(trials, space, n_trials, seed)
    else:
        trials.run(range(n_trials), _samplers.of_draws(sampler, seed))


def _result(trials: Trials, folder: pathlib.Path, n_trials: int) -> TuneResult:
    if best_of(trials.study) is None:
        if trials.stop.is_set():
            raise KeyboardInterrupt
        raise ValueError(f"all trials failed, the first one with: {trials.error}")
    if trials.stop.is_set():
        _logger.warning(
            "stopped after %d of %d trials; the same call goes on with them",
            len(ended(trials.study)),
            n_trials,
        )
    return TuneResult(trials.study, folder)
