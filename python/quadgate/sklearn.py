"""Estimators for sequences with the habits of scikit-learn: for a Pipeline, a GridSearchCV."""

# scikit-learn does not name the types of what it returns.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ._extras import require

require("quadgate.sklearn", "sklearn", "sklearn", "h5py", "numpy")

import numpy
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.model_selection import train_test_split

from . import _arrays, answers, training
from ._estimator import Trained
from ._numbers import array, floats
from ._options import fraction_of
from .forecaster import Forecaster

__all__ = ["Forecaster", "SequenceClassifier", "SequenceRegressor"]


class _SequenceEstimator(Trained):
    """Recurrent layers with a linear head.

    hidden_size, num_layers: of the layers.
    epochs, batch_size, lr: of the training; lr None: the optimizer's own.
    validation_fraction: share of the sequences, or their number, drawn at random, by which the best
        epoch is chosen; 0 or None: the last one.
    patience: epochs without a better validation loss after which it ends; None: it trains all.
    standardize: features get mean 0 and standard deviation 1 over the sequences to train on.
    channels_first: a sequence is [I, T], as aeon has it, not [T, I].
    random_state: of weights, order, dropout and the validation sequences; as in scikit-learn a
        RandomState that draws the seed, or None or numpy.random, NumPy's own.
    run_file: other keys of a run file: {"model.cell": "gru"}.

    X is an array [n, T, I], or a list of arrays [T, I] of different lengths. `history_` has the metrics
    of each epoch.
    """

    def __init__(
        self,
        *,
        hidden_size: int = 64,
        num_layers: int = 1,
        epochs: int = 20,
        batch_size: int = 32,
        lr: float | None = None,
        validation_fraction: float | None = 0,
        patience: int | None = None,
        standardize: bool = True,
        channels_first: bool = False,
        random_state: int | numpy.random.RandomState | None = 1,
        threads: int | None = None,
        run_file: Mapping[str, Any] | None = None,
    ) -> None:
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.epochs = epochs
        self.batch_size = batch_size
        self.lr = lr
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.standardize = standardize
        self.channels_first = channels_first
        self.random_state = random_state
        self.threads = threads
        self.run_file = run_file

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        return tags

    def _train(self, task: str, X: Any, y: numpy.ndarray, labels: numpy.ndarray | None) -> None:
        """labels: to be as frequent among the validation sequences; or None."""
        x = self._sequences(X)
        if len(x) != len(y):
            raise ValueError(f"y: expected {len(x)} targets, one a sequence, found {len(y)}")
        seed = self._seed()
        splits: dict[str, Any] = {"train": (x, y)}
        if part := self._validation_part():
            fit, valid = train_test_split(
                numpy.arange(len(x)), test_size=part, stratify=labels, random_state=seed % 2**32
            )
            splits = {
                "train": ([x[i] for i in fit], y[fit]),
                "valid": ([x[i] for i in valid], y[valid]),
            }
        config = {
            "model": {"hidden_size": self.hidden_size, "num_layers": self.num_layers},
            "train": {
                "epochs": self.epochs,
                "batch_size": self.batch_size,
                "lr": self.lr,
                "early_stopping_patience": self.patience,
                "seed": seed,
            },
        }
        self.history_: list[dict[str, Any]] = []
        data = splits | {"task": task, "standardize": self.standardize}
        with _arrays.folder() as folder:
            overrides: dict[str, Any] = {**(self.run_file or {}), "output.dir": folder / "run"}
            result = training.train(
                config, data=data, callbacks=self.history_.append, threads=self.threads,
                progress=False, **overrides,
            )  # fmt: skip
            self.checkpoint_ = result.best.read_bytes()
        self.n_features_in_ = x[0].shape[1]

    def _validation_part(self) -> float:
        """As train_test_split takes it: an integer is a number of sequences."""
        part: Any = self.validation_fraction
        if isinstance(part, (int, numpy.integer)) and not isinstance(part, bool) and int(part) > 0:
            return int(part)
        return fraction_of("validation_fraction", part)

    def _predict(self, X: Any) -> dict[str, numpy.ndarray]:
        with self._files() as (checkpoint, _):
            return answers.predict(checkpoint, self._sequences(X), threads=self.threads)

    def _sequences(self, X: Any) -> Sequence[numpy.ndarray]:
        if hasattr(X, "columns"):
            raise ValueError("X: expected an array [n, T, I], or a list of sequences, found a frame")
        _arrays.expect_items("X", X)
        if not hasattr(X, "__iter__"):
            raise ValueError(f"X: expected sequences, found {type(X).__name__}")
        rows = [array("X", row) for row in X]
        for i, row in enumerate(rows):
            if row.ndim != 2:
                raise ValueError(f"X: expected sequences of shape [T, I], found {row.shape} as number {i}")
            if row.dtype.kind == "f" and not numpy.isfinite(row).all():
                raise ValueError(f"X: expected finite numbers, found others in number {i}")
        return [row.T for row in rows] if self.channels_first else rows


class SequenceClassifier(ClassifierMixin, _SequenceEstimator):
    __doc__ = _SequenceEstimator.__doc__

    def fit(self, X: Any, y: Any) -> SequenceClassifier:
        """y: [n] classes, of any type that sorts."""
        labels = array("y", y)
        if labels.ndim != 1:
            raise ValueError(f"y: expected [n] classes, found shape {labels.shape}")
        self.classes_, numbers = numpy.unique(labels, return_inverse=True)
        self._train("classification", X, numbers, numbers)
        return self

    def predict_proba(self, X: Any) -> numpy.ndarray:
        """[n, classes], as classes_ has them."""
        return numpy.exp(self.predict_log_proba(X))

    def predict_log_proba(self, X: Any) -> numpy.ndarray:
        """[n, classes], as classes_ has them."""
        logits = self._predict(X)["logits"].astype(numpy.float64)
        logits -= logits.max(1, keepdims=True)
        return logits - numpy.log(numpy.exp(logits).sum(1, keepdims=True))

    def predict(self, X: Any) -> numpy.ndarray:
        """[n] of classes_."""
        predicted = self._predict(X)["predicted"]
        return self.classes_[predicted]


class SequenceRegressor(RegressorMixin, _SequenceEstimator):
    __doc__ = _SequenceEstimator.__doc__

    def fit(self, X: Any, y: Any) -> SequenceRegressor:
        """y: [n] or [n, O] values, which stay in their own scale (a TransformedTargetRegressor has
        another)."""
        values = floats("y", y).astype(numpy.float32)
        self._has_columns = values.ndim > 1
        self._train("regression", X, values, None)
        return self

    def predict(self, X: Any) -> numpy.ndarray:
        """[n] or [n, O], as y was."""
        values = self._predict(X)["values"]
        return values if self._has_columns else values[:, 0]
