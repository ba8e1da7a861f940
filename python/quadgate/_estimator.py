"""What estimators that train with quadgate have in common."""

# scikit-learn does not name the types of what it returns.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import contextlib
import pathlib
from collections.abc import Generator
from typing import Any

from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from . import _arrays


class Trained(BaseEstimator):
    """Keeps what it has learned as the bytes of a checkpoint, so that it can be pickled."""

    checkpoint_: bytes

    def model(self) -> Any:
        """The model as a torch module."""
        from .model import load

        with self._files() as (checkpoint, _):
            return load(checkpoint)

    def save(self, path: str | pathlib.Path) -> None:
        """Writes the checkpoint, for `quadgate predict` and `quadgate export`."""
        check_is_fitted(self)
        pathlib.Path(path).write_bytes(self.checkpoint_)

    @contextlib.contextmanager
    def _files(self) -> Generator[tuple[pathlib.Path, pathlib.Path]]:
        """The checkpoint's file and the folder that it lies in."""
        check_is_fitted(self)
        with _arrays.folder() as folder:
            checkpoint = folder / "model.h5"
            checkpoint.write_bytes(self.checkpoint_)
            yield checkpoint, folder
