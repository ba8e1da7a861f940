"""The grey wolf optimizer of mealpy, over a unit cube and over distributions of Optuna."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ._extras import require

require('quadgate.tune: sampler "gwo"', "gwo", "mealpy")

import numpy
from mealpy.swarm_based.GWO import OriginalGWO
from mealpy.utils.agent import Agent
from mealpy.utils.space import FloatVar
from mealpy.utils.target import Target
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.samplers import BaseSampler
from optuna.study import StudyDirection

from ._trials import Trials

Evaluate = Callable[[list[numpy.ndarray]], Sequence[float]]

_FEWEST = 5  # wolves of a pack


class _Over(Exception):
    """Ends a hunt."""


class _Pack(OriginalGWO):
    """Asks for the values of a whole generation at once."""

    def __init__(self, evaluate: Evaluate, num_points: int) -> None:
        size = max(_FEWEST, math.isqrt(num_points))
        # One generation more than come: in the last one of mealpy's all wolves stand on one point.
        super().__init__(epoch=math.ceil(num_points / size), pop_size=size)
        self._evaluate = evaluate
        self._points_left = num_points

    def update_target_for_population(self, pop: list[Agent] | None = None) -> list[Agent]:
        if self._points_left == 0:
            raise _Over
        wolves = pop or []
        asked = wolves[: self._points_left]
        self._points_left -= len(asked)
        values = list(self._evaluate([wolf.solution for wolf in asked]))
        values += [math.inf] * (len(wolves) - len(asked))
        for wolf, value in zip(wolves, values):
            wolf.target = Target(value)
        return wolves


def hunt(evaluate: Evaluate, num_dims: int, num_points: int, seed: int) -> None:
    """Looks for the smallest value in the unit cube.

    evaluate: the values of some points [num_dims]. It is asked for num_points in all, a generation
        of about their root at a time. The same values make the same points.
    """
    pack = _Pack(evaluate, num_points)
    problem = {
        "obj_func": None,  # nobody calls it
        "bounds": [FloatVar(0.0, 1.0) for _ in range(num_dims)],
        "log_to": None,
    }
    start = numpy.random.default_rng(seed).random((pack.pop_size, num_dims))
    try:
        pack.solve(problem, mode="swarm", seed=seed, starting_solutions=start)
    except _Over:
        pass


class _Given(BaseSampler):
    """Parameters that somebody else has chosen."""

    def __init__(self, params: Mapping[str, Any]) -> None:
        self._params = params

    def infer_relative_search_space(self, study: Any, trial: Any) -> dict[str, BaseDistribution]:
        return {}

    def sample_relative(self, study: Any, trial: Any, search_space: Any) -> dict[str, Any]:
        return {}

    def sample_independent(
        self, study: Any, trial: Any, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        return self._params[param_name]


def search(
    trials: Trials, space: Mapping[str, BaseDistribution], num_trials: int, seed: int
) -> None:
    """Trains what the wolves ask for. Trials that have been trained are not trained again."""
    sign = 1 if trials.study.direction == StudyDirection.MINIMIZE else -1
    draws = itertools.count()

    def evaluate(points: list[numpy.ndarray]) -> list[float]:
        given = {
            next(draws): {key: value_at(space[key], place) for key, place in zip(space, point)}
            for point in points
        }
        trials.run(given, lambda draw: _Given(given[draw]))
        if trials.stop.is_set():
            raise _Over
        values = trials.values()
        return [sign * values[draw] if draw in values else math.inf for draw in given]

    hunt(evaluate, len(space), num_trials, seed)


def value_at(distribution: BaseDistribution, place: float) -> Any:
    """The value of a distribution at a place from 0 to 1: equal lengths of it are as likely, of
    integers, steps and choices as of a line."""
    if isinstance(distribution, CategoricalDistribution):
        choices = distribution.choices
        return choices[min(int(place * len(choices)), len(choices) - 1)]
    assert isinstance(distribution, (FloatDistribution, IntDistribution))
    low, high, step = distribution.low, distribution.high, distribution.step
    begin, end = (low, high) if step is None else (low - step / 2, high + step / 2)
    value = begin * (end / begin) ** place if distribution.log else begin + (end - begin) * place
    if step is not None:
        value = low + round((value - low) / step) * step
    return min(max(value, low), high)
