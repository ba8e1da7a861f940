"""Frames of pandas as tables in text, which the program reads."""

from __future__ import annotations

import pathlib
from collections.abc import Sequence
from typing import Any, cast

import numpy


class Table:
    """Steps of series, a row each, the rows of a series in the order of time.

    name: what errors call the frame.
    time: the column of times; None: the index, if it is of dates, else there are none.
    group: the column that names the series of a row; None: there is one series.
    """

    def __init__(self, name: str, frame: Any, time: str | None, group: str | None) -> None:
        if hasattr(frame, "to_frame"):  # a series of pandas: one column
            frame = frame.to_frame()
        if not hasattr(frame, "columns"):
            raise ValueError(f"{name}: expected a pandas frame, found {type(frame).__name__}")
        self.name = name
        columns = [str(column) for column in frame.columns]
        for column in columns:
            if columns.count(column) > 1:
                raise ValueError(f"{name}: expected each column once, found two called {column!r}")
        self.has_time_index = time is None and frame.index.dtype.kind == "M"
        if time is None and hasattr(frame.index, "to_timestamp"):
            raise ValueError(f"{name}: expected an index of dates (to_timestamp makes them), found periods")
        self.time, self.group = time, group
        self.frame = frame.set_axis(columns, axis=1).reset_index(drop=True)
        if self.has_time_index:
            self.time = str(frame.index.name or "time")
            if self.time in columns:
                raise ValueError(f"{name}: expected an index with another name than column {self.time!r}")
            self.frame.insert(0, self.time, frame.index)
        self.expect_columns([column for column in (self.time, group) if column is not None])
        if len(frame) == 0:
            raise ValueError(f"{name}: expected rows, found none")
        self._take_series()
        if self.time is not None:
            self._expect_times()

    @property
    def features(self) -> list[str]:
        return [column for column in self.frame if column not in (self.time, self.group)]

    def expect_columns(self, names: Sequence[str], *, and_no_others: bool = False) -> None:
        """Raises ValueError, naming what was found, unless the frame has these columns."""
        found = ", ".join(self.frame)
        for column in names:
            if column not in self.frame:
                raise ValueError(f"{self.name}: expected a column {column!r}, found {found}")
        for column in self.features if and_no_others else ():
            if column not in names:
                raise ValueError(f"{self.name}: expected only columns {', '.join(names)}, found {column!r}")

    def expect_numbers(self, columns: Sequence[str], *, may_lack: bool) -> None:
        """Raises ValueError, naming column and row, at what is no finite number, but for NaN if values
        may lack."""
        for column in columns:
            values = self.frame[column]
            if values.dtype.kind not in "iufb":
                raise ValueError(
                    f"{self.name}: column {column!r}: expected numbers, found {values.dtype}"
                )
            numbers = values.to_numpy(numpy.float64, na_value=numpy.nan)
            bad = numpy.isinf(numbers) if may_lack else ~numpy.isfinite(numbers)
            if bad.any():
                row = int(bad.argmax())
                raise ValueError(
                    f"{self.name}: column {column!r}: expected numbers, found {numbers[row]} in "
                    f"row {row}{self._at(row)}"
                )

    def irregular(self, step: str | None) -> ValueError:
        """What is wrong where not all rows are a step, as the program calls it, behind the one before."""
        behind = self._steps()
        usual = behind.median()
        gaps = behind > 1.5 * usual
        row = int((gaps if gaps.any() else behind.notna() & (behind != usual)).argmax())
        before = self.frame[self.time][self._rows_before()[row]]
        return ValueError(
            f"{self.name}: expected a row every {step or usual}, found {before} and "
            f"{self.frame[self.time][row]}{self._of_series(row)} next to each other (resample makes "
            f"rows regular)"
        )

    def last(self, rows: int) -> Any:
        """The last rows of each series, a frame as it was given."""
        frame = self.frame if self.group is None else self.frame.groupby(self.group, sort=False)
        rows_of_all = frame.tail(rows)
        return rows_of_all.set_index(self.time) if self.has_time_index else rows_of_all

    def write(self, folder: pathlib.Path) -> pathlib.Path:
        """Writes the table, in a file called as the frame is."""
        path = folder / f"{self.name}.csv"
        frame = self.frame
        first = [column for column in (self.group, self.time) if column is not None]
        frame = frame[[*first, *self.features]]  # a first column of names has no comments
        flags = [column for column in self.features if frame[column].dtype.kind == "b"]
        frame = frame.astype(dict.fromkeys(flags, "int8"))
        if self.group is not None:
            frame[self.group] = [str(value) for value in frame[self.group]]
        frame.to_csv(path, index=False)
        return path

    def _take_series(self) -> None:
        """The values that name series, by the program's names of them."""
        self.series: dict[str, Any] = {}
        if self.group is None:
            return
        for row, value in enumerate(self.frame[self.group]):
            if value != value or value is None or str(value) == "":
                raise ValueError(
                    f"{self.name}: column {self.group!r}: expected names of series, found {value!r} in "
                    f"row {row}"
                )
            if self.series.setdefault(str(value), value) != value:
                raise ValueError(
                    f"{self.name}: column {self.group!r}: expected names that differ as text, found "
                    f"{self.series[str(value)]!r} and {value!r}"
                )

    def _expect_times(self) -> None:
        times = self.frame[self.time]
        if times.dtype.kind != "M":
            raise ValueError(
                f"{self.name}: column {self.time!r}: expected dates (pandas.to_datetime makes them), "
                f"found {times.dtype}"
            )
        missing = times.isna().to_numpy()
        if missing.any():
            raise ValueError(
                f"{self.name}: column {self.time!r}: expected dates, found none in row {missing.argmax()}"
            )
        wrong = (self._steps().dt.total_seconds() <= 0).to_numpy()
        if wrong.any():
            row = int(wrong.argmax())
            before = times[self._rows_before()[row]]
            found = f"found {times[row]} behind {before}" if times[row] != before else f"found {before} twice"
            raise ValueError(
                f"{self.name}: expected rows in the order of time, {found}{self._of_series(row)}"
            )

    def _steps(self) -> Any:
        """How far the time of each row is behind that of the row before, of the same series."""
        times = self.frame[self.time]
        return times.diff() if self.group is None else times.groupby(self.frame[self.group]).diff()

    def _rows_before(self) -> Any:
        """The number of the row before, of the same series; NaN of the first one."""
        rows = self.frame.index.to_series()
        return rows.shift() if self.group is None else rows.groupby(self.frame[self.group]).shift()

    def _of_series(self, row: int) -> str:
        return "" if self.group is None else f" of series {self.frame[self.group][row]!r}"

    def _at(self, row: int) -> str:
        return "" if self.time is None else f" ({self.frame[self.time][row]}{self._of_series(row)})"


def names(argument: str, value: Any) -> list[str]:
    """An argument that is a list of columns, as names."""
    if isinstance(value, str):
        raise ValueError(f"{argument}: expected a list of columns, found {value!r}")
    return [str(name) for name in cast(Sequence[Any], value or ())]
