"""Times of .tsf series, beside pandas. Sweeps the frequencies of the archive, starts that differ by
series, ways to give the file (data set, --input, stdin), ends of months. No tolerance."""

import io
import os
import subprocess

import numpy
import pandas
import pytest
from pandas import DateOffset

from support import quadgate, train

# @frequency, what pandas calls it, two starts.
FREQUENCIES = [
    ("4_seconds", "4s", "2019-08-01 00:00:03", "2020-02-28 23:59:50"),
    ("minutely", "min", "2019-08-01 00:02:00", "2020-02-28 23:50:00"),
    ("10_minutes", "10min", "2019-08-01 00:02:00", "2020-02-28 23:50:00"),
    ("half_hourly", "30min", "2019-08-01", "2020-02-28 22:00:00"),
    ("hourly", "h", "2019-08-01", "2020-02-27 22:00:00"),
    ("daily", "D", "2019-08-01", "2020-02-20"),
    ("weekly", DateOffset(weeks=1), "2019-08-01", "2020-02-20 12:00:00"),
    ("monthly", DateOffset(months=1), "1749-01-01", "2020-02-28 12:00:00"),
    ("monthly", "ME", "2019-10-31", "2021-02-28"),
    ("quarterly", DateOffset(months=3), "2019-08-01", "2020-02-10"),
    ("quarterly", "3ME", "2019-11-30", "2020-02-29"),
    ("yearly", DateOffset(years=1), "1750-01-01 12:00:00", "1964-02-28"),
]
LENGTHS = [23, 18]


def piped(file, *arguments):
    with open(file, "rb") as stdin:
        command = [os.environ["QUADGATE_BIN"], *map(str, arguments)]
        done = subprocess.run(command, stdin=stdin, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def write(path, frequency, starts, skipped=0):
    lines = ["@relation r", "@attribute series_name string", "@attribute start_timestamp date",
             f"@frequency {frequency}", "@data"]  # fmt: skip
    for number, (start, length) in enumerate(zip(starts, LENGTHS)):
        values = ",".join(str(i % 5) for i in range(skipped, length))
        lines.append(f"T{number}:{start:%Y-%m-%d %H-%M-%S}:{values}")
    path.write_text("\n".join(lines) + "\n")


def times_by_series(text):
    found = pandas.read_csv(io.StringIO(text))
    return {name: list(pandas.to_datetime(rows["time"])) for name, rows in found.groupby("series")}


@pytest.mark.parametrize("frequency, alias, first, second", FREQUENCIES)
def test_times_go_on_as_pandas_counts(tmp_path, frequency, alias, first, second):
    times = [pandas.date_range(start, periods=length + 7, freq=alias)
             for start, length in zip((first, second), LENGTHS)]  # fmt: skip
    write(tmp_path / "old.tsf", frequency, [t[0] for t in times])
    write(tmp_path / "new.tsf", frequency, [t[3] for t in times], skipped=3)
    quadgate("prepare", "tsf", tmp_path / "old.tsf", "-o", tmp_path / "old.h5")
    checkpoint = train(tmp_path, tmp_path / "old.h5", {"hidden_size": 2}, {"epochs": 1},
                       input_len=4, horizon=2)  # fmt: skip
    predict = ["predict", checkpoint, "--steps", 7]
    expected = {f"T{i}": list(t[n:]) for i, (t, n) in enumerate(zip(times, LENGTHS))}
    old, new = tmp_path / "old.h5", tmp_path / "new.tsf"
    assert times_by_series(quadgate(*predict, "--data", old, "-o", "-")) == expected
    assert times_by_series(quadgate(*predict, "--input", new, "-o", "-")) == expected
    assert times_by_series(piped(new, *predict, "--input", "-", "-o", "-")) == expected
    windows = times_by_series(quadgate("predict", checkpoint, "--input", new, "--windows", "-o", "-"))
    for number, (t, length) in enumerate(zip(times, LENGTHS)):
        rows = [t[i + j] for i in range(3 + 4, length - 1) for j in range(2)]
        assert windows[f"T{number}"] == rows


def test_a_dropped_value_leaves_its_time_out(tmp_path):
    write(tmp_path / "old.tsf", "daily", pandas.to_datetime(["2020-01-01", "2020-05-01"]))
    text = (tmp_path / "old.tsf").read_text().replace("00:0,1,", "00:0,?,")
    (tmp_path / "old.tsf").write_text(text)
    quadgate("prepare", "tsf", tmp_path / "old.tsf", "--missing", "drop", "-o", tmp_path / "a.h5")
    checkpoint = train(tmp_path, tmp_path / "a.h5", {"hidden_size": 2}, {"epochs": 1},
                       input_len=3, horizon=1)  # fmt: skip
    out = quadgate("predict", checkpoint, "--data", tmp_path / "a.h5", "--windows", "-o", "-")
    first = times_by_series(out)["T0"]
    assert first == list(pandas.date_range("2020-01-05", periods=len(first)))
    assert len(first) == LENGTHS[0] - 1 - 3
    assert numpy.all(numpy.diff(first) == numpy.timedelta64(1, "D"))
