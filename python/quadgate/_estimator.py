"""What estimators that train with quadgate have in common."""

# scikit-learn does not name the types of what it returns.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import contextlib
import pathlib
from collections.abc import Generator
from typing import Any

import numpy
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from . import _arrays
from ._options import integer_of


class Trained(BaseEstimator):
    """Keeps what it has learned as the bytes of a checkpoint, so that it can be pickled."""

    checkpoint_: bytes
    random_state: Any

    def model(self) -> Any:
        """The model as a torch module."""
        from .model import load

        with self._files() as (checkpoint, _):
            return load(checkpoint)

    def save(self, path: str | pathlib.Path) -> None:
        """Writes the checkpoint, for `quadgate predict` and `quadgate export`."""
        check_is_fitted(self)
        pathlib.Path(path).write_bytes(self.checkpoint_)

    def _seed(self) -> int:
        """That of random_state, which may be what draws one, as in scikit-learn: None and numpy.random are
        NumPy's own state."""
        state = self.random_state
        if state is None or state is numpy.random or isinstance(state, numpy.random.RandomState):
            return int(check_random_state(state).randint(2**31 - 1))
        return integer_of("random_state", self.random_state, 0)

    @contextlib.contextmanager
    def _files(self) -> Generator[tuple[pathlib.Path, pathlib.Path]]:
        """The checkpoint's file and the folder that it lies in."""
        check_is_fitted(self)
        with _arrays.folder() as folder:
            checkpoint = folder / "model.h5"
            checkpoint.write_bytes(self.checkpoint_)
            yield checkpoint, folder
