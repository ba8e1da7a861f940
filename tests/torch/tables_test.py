"""Sweeps: 200 tables (QUADGATE_SWEEPS is how many) of random numbers, times and names, written by pandas in random dialects (signs,
delimiters, quotes, line ends, indices, units of time, comments), with a seed each.

Each is read, with the rows, names and splits that pandas reads when it is told the dialect, or refused
with one line that names the file. No tolerance but for means: numbers are the nearest float32.
"""

import csv
import io
import os
import subprocess

import h5py
import numpy
import pandas
import pytest

TABLES, PARTS = int(os.environ.get("QUADGATE_SWEEPS", 200)), 10
NAMES = ["a", "load", "load, MW", "T (degC)", "price", "Temperatur", "p;q", "x|y", "größe", "A1", "v 2"]
TIMES = {
    "iso": lambda t: t.strftime("%Y-%m-%d %H:%M:%S"),
    "iso T": lambda t: t.strftime("%Y-%m-%dT%H:%M:%SZ"),
    "slashes": lambda t: t.strftime("%Y/%m/%d %H:%M"),
    "day first": lambda t: t.strftime("%d.%m.%Y %H:%M"),
    "day first, slashes": lambda t: t.strftime("%d/%m/%Y %H:%M"),
    "month first": lambda t: [f"{u.month}/{u.day}/{u.year} {u.hour}:{u.minute:02}" for u in t],
    "halves of days": lambda t: t.strftime("%m/%d/%Y %I:%M:%S %p"),
    "digits": lambda t: t.strftime("%Y%m%d%H%M"),
    "s": lambda t: t.astype("int64") // 10**9,
    "ms": lambda t: t.astype("int64") // 10**6,
    "us": lambda t: t.astype("int64") // 10**3,
    "ns": lambda t: t.astype("int64"),
    "days": lambda t: t.astype("int64") / 86400e9 + 25569,
}  # fmt: skip


class Table:
    """A random table, its dialect, and what is to be read of it."""

    def __init__(self, seed):
        self.rng = rng = numpy.random.default_rng([16, seed])
        pick = lambda *values: values[rng.integers(len(values))]
        self.rows = int(rng.integers(3, 30))
        self.sep = pick(",", ";", "\t", "|")
        self.decimal = "." if self.sep == "," else pick(".", ",")
        signs = [s for s in ".,' " if s != self.decimal]
        self.thousands = pick("", "", *signs)
        self.names = list(rng.choice(NAMES, size=rng.integers(1, 6), replace=False))
        self.time = pick("", "", *TIMES)
        self.index = pick(False, False, True)
        self.header = self.index or pick(True, True, True, False)
        self.missing = pick("", "", "", "drop", "forward", "mean")
        self.na_rep = pick("", "NA", "NaN", "?", "null")
        self.end = pick("\n", "\n", "\r\n", "\r")
        self.quoting = pick(csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC)
        self.intro = pick("", "", "# by a station\n# of Ulm\n", f"sep={self.sep}\n")
        self.encoding = pick("utf-8", "utf-8-sig")
        self.border = bool(self.time) and self.missing != "drop" and pick(True, False)
        self.values = pandas.DataFrame({n: self.column(pick) for n in self.names})
        self.times = pandas.date_range("2019-12-30 22:00", periods=self.rows,
                                       freq=pick("h", "15min", "D"), unit="ns")  # fmt: skip

    def column(self, pick):
        scale, places = 10.0 ** self.rng.integers(-2, 7), int(self.rng.integers(0, 5))
        values = numpy.round(self.rng.normal(size=self.rows) * scale, places)
        if self.missing:
            values[self.rng.random(self.rows) < 0.2] = numpy.nan
        return [self.text(v, places) for v in values]

    def text(self, value, places):
        if numpy.isnan(value):
            return self.na_rep
        text = f"{value:,.{places}f}".replace(",", "T").replace(".", self.decimal)
        return text.replace("T", self.thousands)

    def write(self, path):
        frame = self.values.copy()
        if self.time:
            frame.insert(0, "time", TIMES[self.time](self.times))
        text = frame.to_csv(sep=self.sep, index=self.index, header=self.header, quoting=self.quoting,
                            decimal=self.decimal, lineterminator="\n")  # fmt: skip
        path.write_bytes((self.intro + text).replace("\n", self.end).encode(self.encoding))

    def wanted(self):
        """The features' rows, float32, as pandas reads them; and the rows in front of the border."""
        text = self.values.to_csv(sep=self.sep, index=False, quoting=csv.QUOTE_ALL)
        frame = pandas.read_csv(io.StringIO(text), sep=self.sep, decimal=self.decimal,
                                thousands=self.thousands or None, na_values=["?"])  # fmt: skip
        middle = self.rows // 2
        if self.missing == "drop":
            frame = frame.dropna()
        elif self.missing == "forward":
            whole = frame.ffill().dropna()
            middle = int((whole.index < middle).sum())
            frame = whole
        elif self.missing == "mean":
            frame = frame.fillna(frame[: middle if self.border else self.rows].mean())
        return frame.to_numpy("f8").astype("f4"), middle

    def options(self):
        options = ["--time", "time" if self.header else "0"] if self.time else []
        if self.missing:
            options += ["--missing", self.missing]
        if self.border:
            options += ["--valid-from", self.times[self.rows // 2].strftime("%Y-%m-%d %H:%M:%S")]
        return options


def check(table, folder, seed):
    """Whether it was read; asserts that it was, as pandas reads it, or refused with a line."""
    path, out = folder / f"{seed}.csv", folder / f"{seed}.h5"
    table.write(path)
    command = [os.environ["QUADGATE_BIN"], "prepare", "csv", path, "-o", out, *table.options()]
    done = subprocess.run(command, capture_output=True, text=True)
    shown = f"{table.__dict__}\n{path.read_bytes()[:600]}\n{done.stderr}"
    if done.returncode != 0:
        assert done.returncode in (1, 2) and done.stderr.count("\n") == 1, shown
        assert path.name in done.stderr, shown
        assert not out.exists(), shown
        return False
    want, border = table.wanted()
    with h5py.File(out) as file:
        got = file["train/x"][()]
        tolerance = {"rtol": 1e-6, "atol": 1e-9} if table.missing == "mean" else {"rtol": 0}
        numpy.testing.assert_allclose(got, want, **tolerance, err_msg=shown)
        first = 1 if table.time else 0
        names = table.names if table.header else [str(i + first) for i in range(len(table.names))]
        assert list(file.attrs["feature_names"]) == names, shown
        if table.border:
            assert (file["valid"].attrs["begin"], file["valid"].attrs["end"]) == (border, len(want)), shown
    return True


@pytest.mark.parametrize("part", range(PARTS))
def test_tables_of_pandas_are_read_as_they_are_or_refused(tmp_path, part):
    seeds = range(part, TABLES, PARTS)
    read = sum(check(Table(seed), tmp_path, seed) for seed in seeds)
    assert read >= 0.6 * len(seeds)  # the rest can be read in two ways, or no row of it is whole


@pytest.mark.parametrize("step", ["10min", "1h", "6h", "1d"])
@pytest.mark.parametrize("missing", ["forward", "drop"])
def test_resampled_rows_are_those_of_pandas(tmp_path, step, missing):
    rng = numpy.random.default_rng(len(step))
    times = pandas.Timestamp("2020-03-01 05:00") + pandas.to_timedelta(rng.integers(0, 4000, 300).cumsum(), "s")
    frame = pandas.DataFrame(rng.normal(size=(300, 2)), columns=["a", "b"], index=times)
    frame = frame.mask(rng.random(frame.shape) < 0.1)
    frame.to_csv(tmp_path / "a.csv", index_label="t")
    command = [os.environ["QUADGATE_BIN"], "prepare", "csv", tmp_path / "a.csv", "-o", tmp_path / "a.h5",
               "--resample", step, "--missing", missing]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)
    regular = frame.resample(step.replace("d", "D")).mean()
    want = (regular.ffill() if missing == "forward" else regular).dropna()
    with h5py.File(tmp_path / "a.h5") as file:
        numpy.testing.assert_allclose(file["train/x"], want, rtol=1e-6, atol=1e-7)
