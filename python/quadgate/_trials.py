"""Trials of a study: each a training, some beside each other."""

from __future__ import annotations

import concurrent.futures
import logging
import os
import pathlib
import shutil
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, Trial, TrialState

from . import _program, _run_file

_logger = logging.getLogger("quadgate")

_DRAW = "draw"  # the attribute of a trial that tells which draw of the search it is
_WITH_VALUE = (TrialState.COMPLETE, TrialState.PRUNED)

_End = tuple[TrialState, float | None, Exception | None]


class Trials:
    """Trains trials of a study in folders of their own, of which that of the best one stays.

    tables: the run file without what the space says.
    metric: of an epoch, what trials go by.
    jobs, threads: trainings beside each other, and threads of each.
    on_end: is called after each trial that has a value.
    """

    def __init__(
        self,
        study: Study,
        space: Mapping[str, BaseDistribution],
        tables: Mapping[str, Any],
        metric: str,
        jobs: int,
        threads: int,
        on_end: Callable[[], None],
    ) -> None:
        self.study = study
        self.stop = threading.Event()
        self.error: Exception | None = None
        self._space = dict(space)
        self._tables = tables
        self._folder = pathlib.Path(tables["output"]["dir"])
        self._metric = metric
        self._jobs = jobs
        self._threads = threads
        self._on_end = on_end
        self._best = best_of(study)
        self._best_value_of = min if study.direction == StudyDirection.MINIMIZE else max
        self._put_right()

    def values(self) -> dict[int, float]:
        """Of the draws that have been trained, what they came to: pruned ones, too."""
        return {
            trial.user_attrs[_DRAW]: self._best_value_of(trial.intermediate_values.values())
            for trial in ended(self.study)
        }

    def run(self, draws: Iterable[int], sampler: Callable[[int], BaseSampler]) -> None:
        """Trains those of the draws that have not been trained, each with its sampler."""
        known = self.values()
        running: dict[concurrent.futures.Future[_End], Trial] = {}
        with concurrent.futures.ThreadPoolExecutor(self._jobs) as pool:
            try:
                for draw in draws:
                    if draw in known:
                        continue
                    if len(running) == self._jobs:
                        self._take(running)
                    if self.stop.is_set():
                        break
                    self.study.sampler = sampler(draw)
                    trial = self.study.ask(self._space)
                    trial.set_user_attr(_DRAW, draw)
                    running[pool.submit(self._train, trial)] = trial
                while running:
                    self._take(running)
            except BaseException:
                self.stop.set()
                concurrent.futures.wait(running)
                for trial in running.values():
                    self._fail(trial)
                raise

    def folder(self, trial: Trial | FrozenTrial) -> pathlib.Path:
        return self._folder / f"trial-{trial.number}"

    def _put_right(self) -> None:
        """What a process that was killed left."""
        for trial in self.study.get_trials(deepcopy=False):
            if trial.state == TrialState.RUNNING:
                self.study.tell(trial.number, state=TrialState.FAIL)
            if self._best is None or trial.number != self._best.number:
                self._remove(trial)
        if self._best is not None:
            self._write_run_file(self._best)

    def _train(self, trial: Trial) -> _End:
        values: list[float] = []
        is_pruned = False

        def on_epoch(metrics: dict[str, Any]) -> bool:
            nonlocal is_pruned
            values.append(metrics[self._metric])
            trial.report(values[-1], metrics["epoch"])
            is_pruned = trial.should_prune()
            return is_pruned

        text = _run_file.to_toml(self._run_file(trial, self.folder(trial)))
        try:
            _program.train("config", text, self._threads, False, on_epoch, self.stop.is_set)
        except ValueError as error:
            return TrialState.FAIL, None, error
        if is_pruned:
            return TrialState.PRUNED, None, None
        if self.stop.is_set():
            return TrialState.FAIL, None, None
        return TrialState.COMPLETE, self._best_value_of(values), None

    def _take(self, running: dict[concurrent.futures.Future[_End], Trial]) -> None:
        """Waits until a training ends."""
        done: set[concurrent.futures.Future[_End]] = set()
        while not done:  # a signal that another thread takes does not wake this one
            done, _ = concurrent.futures.wait(
                running, timeout=0.2, return_when=concurrent.futures.FIRST_COMPLETED
            )
        for future in done:
            state, value, error = future.result()
            trial = running.pop(future)
            if error is not None:
                _logger.warning("trial %d failed: %s", trial.number, error)
                trial.set_user_attr("error", str(error))
                self.error = self.error or error
            self.study.tell(trial, value, state)
            self._keep_best(trial)
            if state in _WITH_VALUE:
                self._on_end()

    def _fail(self, trial: Trial) -> None:
        self.study.tell(trial, state=TrialState.FAIL)
        self._remove(trial)

    def _keep_best(self, trial: Trial) -> None:
        best = best_of(self.study)
        if best is None or best.number != trial.number:
            self._remove(trial)
            return
        if self._best is not None:
            self._remove(self._best)
        self._best = best
        self._write_run_file(best)

    def _remove(self, trial: Trial | FrozenTrial) -> None:
        shutil.rmtree(self.folder(trial), ignore_errors=True)

    def _run_file(self, trial: Trial | FrozenTrial, folder: pathlib.Path) -> dict[str, Any]:
        return _run_file.merged(self._tables, {**trial.params, "output.dir": folder})

    def _write_run_file(self, best: FrozenTrial) -> None:
        """The run file of the best trial, for a training in a folder of its own."""
        beside = self._folder / "best.toml.tmp"
        beside.write_text(_run_file.to_toml(self._run_file(best, self._folder / "best")))
        os.replace(beside, self._folder / "best.toml")


def ended(study: Study) -> list[FrozenTrial]:
    """The trials that have a value."""
    return study.get_trials(deepcopy=False, states=_WITH_VALUE)


def best_of(study: Study) -> FrozenTrial | None:
    """The best trial; None before the first one is complete."""
    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    return study.best_trial if complete else None
