"""Samplers by name."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy
from optuna import samplers
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler

from ._extras import require, require_packages
from ._options import in_one_line

_CLASSES: dict[str, Callable[..., BaseSampler]] = {
    "tpe": samplers.TPESampler,
    "random": samplers.RandomSampler,
    "cmaes": samplers.CmaEsSampler,
    "qmc": samplers.QMCSampler,
    "nsgaii": samplers.NSGAIISampler,
    "gp": samplers.GPSampler,
}
_PACKAGES = {"cmaes": ["cmaes"], "qmc": ["scipy"], "gp": ["scipy", "torch"]}  # beside Optuna
_NAMES = (*_CLASSES, "gwo")


def expect(name: Any) -> None:
    """Raises ValueError unless there is a sampler of this name, and ImportError without its packages."""
    if not isinstance(name, str) or name not in _NAMES:
        raise ValueError(f"sampler: expected one of {', '.join(_NAMES)}, found {in_one_line(name)}")
    part = f'quadgate.tune: sampler "{name}"'
    if name == "gwo":
        require(part, "gwo", "mealpy")
    require_packages(part, *_PACKAGES.get(name, ()))


def of_draws(name: str, seed: int) -> Callable[[int], BaseSampler]:
    """A sampler of Optuna for each draw: what it comes to does not depend on when those before it were
    drawn, but on what is known of them."""

    def sampler_of(draw: int) -> BaseSampler:
        own = int(numpy.random.SeedSequence((seed, draw)).generate_state(1)[0])
        options: dict[str, Any] = {"seed": own}
        if name in ("cmaes", "qmc", "gp"):  # which leave what they cannot tell to random draws
            options["warn_independent_sampling"] = False
        if name == "qmc":  # one sequence for all
            options |= {"seed": seed, "scramble": True}
            options["independent_sampler"] = samplers.RandomSampler(seed=own)
        with warnings.catch_warnings():  # QMCSampler's, that it is new
            warnings.simplefilter("ignore", ExperimentalWarning)
            return _CLASSES[name](**options)

    return sampler_of
