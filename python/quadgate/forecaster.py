"""An estimator of scikit-learn that forecasts series; `quadgate.sklearn.Forecaster` is its public name."""

# scikit-learn and pandas do not name all types of what they return.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import json
import pathlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import h5py
import numpy
from sklearn.utils.validation import check_is_fitted

from . import _arrays, _program, _run_file, answers, training
from ._estimator import Trained
from ._options import fraction_of
from ._table import Table, names

if TYPE_CHECKING:
    import pandas


class Forecaster(Trained):
    """Recurrent layers that see input_len rows of a series and tell the next `horizon`.

    time: the column of times; None: the frame's index, if it is of dates; else rows have no times.
    group: the column that names the series of a row; None: all rows are one series.
    targets: columns to forecast; None: all of numbers that are not known or static.
    known: columns that are known of the rows to forecast, too, as a price is.
    static: columns with one value a series, numbers or texts, which go in at every step.
    calendar: features made of the times: some of minute, hour, weekday, day, dayofyear, month.
    resample: a step, "1h" say, of which rows become the means, so that they are regular in time.
    missing: what becomes of NaN: "drop" the row, "forward", the value before, or "mean"; None: an error.
    quantiles: bands to forecast, [0.1, 0.5, 0.9] say.
    normalize: the level that is taken out of each window: "last", "instance" or "none".
    hidden_size, num_layers: of the layers.
    epochs, batch_size, lr: of the training; lr None: the optimizer's own.
    validation_fraction: the last part of each series, by which the best epoch is chosen; 0, None: the last.
    patience: epochs without a better validation loss after which it ends; None: it trains all.
    standardize: columns, of several series those of each, get mean 0 and standard deviation 1.
    random_state: of weights, order and dropout, as in scikit-learn.
    run_file: other keys of a run file: {"model.cell": "gru"}.

    Frames hold a row a step, those of a series in the order of time and equally far from each other.
    `history_` has the metrics of each epoch.
    """

    def __init__(
        self,
        horizon: int = 1,
        input_len: int = 24,
        *,
        time: str | None = None,
        group: str | None = None,
        targets: Sequence[str] | None = None,
        known: Sequence[str] = (),
        static: Sequence[str] = (),
        calendar: Sequence[str] = (),
        resample: str | None = None,
        missing: str | None = None,
        quantiles: Sequence[float] | None = None,
        normalize: str = "last",
        hidden_size: int = 64,
        num_layers: int = 1,
        epochs: int = 20,
        batch_size: int = 32,
        lr: float | None = None,
        validation_fraction: float | None = 0,
        patience: int | None = None,
        standardize: bool = True,
        random_state: int | numpy.random.RandomState | None = 1,
        threads: int | None = None,
        run_file: Mapping[str, Any] | None = None,
    ) -> None:
        self.horizon = horizon
        self.input_len = input_len
        self.time = time
        self.group = group
        self.targets = targets
        self.known = known
        self.static = static
        self.calendar = calendar
        self.resample = resample
        self.missing = missing
        self.quantiles = quantiles
        self.normalize = normalize
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.epochs = epochs
        self.batch_size = batch_size
        self.lr = lr
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.standardize = standardize
        self.random_state = random_state
        self.threads = threads
        self.run_file = run_file

    def fit(self, X: pandas.DataFrame | pandas.Series, y: None = None) -> Forecaster:
        """X: a row a step, or a series. Raises ValueError, naming column and row, if it is none."""
        self.history_: list[dict[str, Any]] = []
        with _arrays.folder() as folder:
            table = self._table(X)
            config = self._config(self._prepare(table, folder), folder / "run")
            result = training.train(
                config, callbacks=self.history_.append, threads=self.threads, progress=False
            )
            self.checkpoint_ = result.best.read_bytes()
        # How many rows it takes to have as many with values nobody knows.
        may_lack = self.resample or self.missing or names("known", self.known)
        self._last = table.last(len(X) if may_lack else self.input_len)
        self.feature_names_in_ = numpy.asarray(table.features, object)
        self.n_features_in_ = len(table.features)
        return self

    def predict(
        self,
        X: pandas.DataFrame | None = None,
        *,
        steps: int | None = None,
        future: pandas.DataFrame | None = None,
    ) -> pandas.DataFrame:
        """What comes after the last row of each series.

        X: newer rows, at least input_len of each series; None: it goes on from those of `fit`.
        steps: None: horizon; beyond it, it goes on from its own forecasts.
        future: with `known` columns: rows behind the last ones of X, with the times, groups and these.

        A row a series and step: the time, in the index if X has it there (without times: `step`, from 1
        on), the group, the targets, and of a model with bands `TARGET_q0.1` and so on.
        """
        with self._files() as (checkpoint, folder):
            table = self._fitting_table(self._last if X is None else X)
            behind = None if future is None else Table("future", future, self.time, self.group)
            if behind is not None:
                behind.expect_columns(names("known", self.known))
            output = folder / "predictions.h5"
            _program.predict(
                checkpoint, [], None, output, self.threads, steps, False, self._written(table, folder),
                None if behind is None else behind.write(folder),
            )  # fmt: skip
            return _frame_of(answers.read_predictions(output), table)

    def score(self, X: pandas.DataFrame, y: None = None) -> float:
        """The coefficient of determination R^2 of the forecasts of all windows of X, as a mean over the
        targets; NaN where these do not vary."""
        with self._files() as (checkpoint, folder):
            path = self._written(self._fitting_table(X), folder)
            told = _program.evaluate(checkpoint, [], None, self.threads, None, None, path)
        return float("nan") if told["r2"] is None else told["r2"]

    def backtest(
        self,
        X: pandas.DataFrame,
        folds: int = 5,
        *,
        test_size: int | None = None,
        gap: int = 0,
        max_train_size: int | None = None,
        jobs: int | None = None,
    ) -> pandas.DataFrame:
        """Walks forward through X: trains a model on the rows in front of each fold, and tests it on the
        fold. What was fitted stays.

        folds, test_size, gap, max_train_size: as of scikit-learn's TimeSeriesSplit, of each series.
        jobs: folds at a time; None: as many as there are cores for.

        A row a fold: `train` and `test`, slices of rows (of several series a dict of these), and what
        `quadgate evaluate` tells: mse_raw and mae_raw (of one target), mase, smape, r2, skill, ...
        """
        import pandas

        with _arrays.folder() as folder:
            run = folder / "backtest"
            config = self._config(self._prepare(self._table(X), folder), run)
            (folder / "config.toml").write_text(_run_file.to_toml(config))
            told = _program.backtest(
                folder / "config.toml", folds=folds, test_size=test_size, gap=gap,
                max_train_size=max_train_size, jobs=jobs, threads=self.threads,
            )  # fmt: skip
            rows = json.loads((run / "folds.json").read_text())["folds"]
        records: list[dict[str, Any]] = []
        for parts, metrics in zip(rows, told["folds"]):
            numbers = {name: v for name, v in metrics.items() if v is None or isinstance(v, (int, float))}
            records.append({"train": _rows(parts, "train"), "test": _rows(parts, "test"), **numbers})
        return pandas.DataFrame(records).rename_axis("fold")

    def _table(self, X: Any) -> Table:
        table = Table("X", X, self.time, self.group)
        for argument in ("targets", "known", "static"):
            given = getattr(self, argument)
            for name in names(argument, given):
                if name not in table.features:
                    raise ValueError(
                        f"{argument}: expected some of the columns {', '.join(table.features)}, found {name!r}"
                    )
        return table

    def _fitting_table(self, X: Any) -> Table:
        check_is_fitted(self)
        table = Table("X", X, self.time, self.group)
        table.expect_columns(list(self.feature_names_in_), and_no_others=True)
        return table

    def _written(self, table: Table, folder: pathlib.Path) -> pathlib.Path:
        """The table's file. With `known` columns the program looks for what the last rows lack."""
        static = names("static", self.static)
        columns = [name for name in table.features if name not in static]
        table.expect_numbers(columns, may_lack=bool(self.missing or names("known", self.known)))
        return table.write(folder)

    def _prepare(self, table: Table, folder: pathlib.Path) -> pathlib.Path:
        """The data set of a table to train on."""
        path, fraction = folder / "X.h5", fraction_of("validation_fraction", self.validation_fraction)
        for argument in ("calendar", "resample"):
            if getattr(self, argument) and table.time is None:
                raise ValueError(
                    f"{argument}: expected times (an index of dates, or `time`, their column), found none in X"
                )
        _program.prepare(
            self._written(table, folder), path, time=table.time, group=self.group,
            known=names("known", self.known), static=names("static", self.static),
            calendar=names("calendar", self.calendar), resample=self.resample, missing=self.missing,
            valid_fraction=fraction, standardize=self.standardize,
        )  # fmt: skip
        with h5py.File(path) as file:
            source: dict[str, Any] = dict(file.attrs)
        makes_gaps = self.resample or self.missing == "drop"
        if table.time and not makes_gaps and int(source.get("source_other_steps", 0)) > 0:
            raise table.irregular(source.get("source_step"))
        return path

    def _config(self, data: pathlib.Path, output: pathlib.Path) -> dict[str, Any]:
        loss = {} if self.quantiles is None else {"loss": "pinball", "quantiles": list(self.quantiles)}
        config = {
            "data": {
                "path": data,
                "input_len": self.input_len,
                "horizon": self.horizon,
                "targets": None if self.targets is None else names("targets", self.targets),
            },
            "model": {
                "hidden_size": self.hidden_size,
                "num_layers": self.num_layers,
                "normalize": self.normalize,
            },
            "train": {
                "epochs": self.epochs,
                "batch_size": self.batch_size,
                "lr": self.lr,
                "early_stopping_patience": self.patience,
                "seed": self._seed(),
                **loss,
            },
        }
        return _run_file.merged(
            _run_file.merged({}, config), {**(self.run_file or {}), "output.dir": output}
        )


def _rows(parts: list[dict[str, Any]], name: str) -> Any:
    """The rows of a part of a fold, those of validation with train's."""

    def rows(part: dict[str, Any]) -> slice:
        end = part.get("valid", part[name]) if name == "train" else part[name]
        return slice(part[name][0], end[1])

    if "series" not in parts[0]:
        return rows(parts[0])
    return {part["series"]: rows(part) for part in parts}


def _frame_of(answer: dict[str, numpy.ndarray], table: Table) -> pandas.DataFrame:
    """Predictions as a frame with the columns of the table that was forecast."""
    import pandas

    prediction = answer["prediction"]  # [W, steps, targets]
    windows, steps, _ = prediction.shape
    columns: dict[str, Any] = {}
    if table.time is not None:
        dates = pandas.to_datetime(numpy.rint(answer["time"].ravel() * 1e6).astype(numpy.int64), unit="us")
        given = table.frame[table.time].dt
        dates = dates if given.tz is None else dates.tz_localize("UTC").tz_convert(given.tz)
        columns[table.time] = dates.as_unit(given.unit)
    else:
        columns["step"] = numpy.tile(numpy.arange(1, steps + 1), windows)
    if table.group is not None:
        series = [table.series[str(answer["series_names"][number])] for number in answer["series"]]
        columns[table.group] = [name for name in series for _ in range(steps)]
    for i, target in enumerate(map(str, answer["target_names"])):
        columns[target] = prediction[:, :, i].ravel()
        for band in map(str, answer.get("band_names", ())):
            columns[f"{target}_{band}"] = answer[band][:, :, i].ravel()
    frame = pandas.DataFrame(columns)
    if table.has_time_index or table.time is None:
        return frame.set_index(table.time or "step")
    return frame
