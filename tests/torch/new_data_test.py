"""Tables that a forecaster answers: predictions and times beside what pandas, NumPy and torch.nn make of
the same file. Sweeps ways to give one (--input, stdin, prepare --like) and steps of time. Tolerance:
1e-5 of the values' spread."""

import csv
import io
import os
import signal
import subprocess

import h5py
import numpy
import pandas
import pytest
import torch

from support import Model, evaluate, piped, quadgate, state_dict, train

NAMES = ["load", "temp"]


def table(path, start, rows, columns, groups=("Ulm", "Bonn, West"), seed=1, freq="h"):
    rng = numpy.random.default_rng(seed)
    frames = []
    for group in groups:
        walk = numpy.cumsum(rng.normal(size=(rows, 2)), axis=0) * [1, 30] + [10, 1e5]
        frame = pandas.DataFrame(walk, columns=NAMES)
        frame["city"], frame["at"] = group, pandas.date_range(start, periods=rows, freq=freq)
        frames.append(frame)
    frame = pandas.concat(frames).sort_values("at", kind="stable")
    frame[columns].to_csv(path, index=False, sep=";")
    return frame


@pytest.fixture(scope="module")
def forecaster(tmp_path_factory):
    folder = tmp_path_factory.mktemp("forecaster")
    frame = table(folder / "old.csv", "2020-01-01", 120, ["at", "city", *NAMES])
    quadgate("prepare", "csv", folder / "old.csv", "--group", "city", "--standardize",
             "--test-fraction", 0.2, "-o", folder / "old.h5")  # fmt: skip
    checkpoint = train(folder, folder / "old.h5", {"hidden_size": 8}, {"epochs": 3, "lr": 0.02},
                       input_len=12, horizon=3, targets=["temp", "load"])  # fmt: skip
    past = [group[NAMES].to_numpy()[:96] for _, group in frame.groupby("city")]
    past = numpy.concatenate(past)
    lstm = Model(2, 6, hidden_size=8)
    lstm.load_state_dict(state_dict(checkpoint))
    return checkpoint, folder / "old.h5", lstm, past.mean(0), past.std(0)


def torch_forecast(lstm, x, steps):
    """Recursively, of scaled rows [rows, 2]; the model's outputs are of temp, then load."""
    rows = list(x.astype(numpy.float32))
    for _ in range(-(-steps // 3)):
        window = torch.from_numpy(numpy.stack(rows[-12:]))
        with torch.no_grad():
            rows += list(lstm([window]).numpy().reshape(3, 2)[:, ::-1])
    return numpy.stack(rows[len(x) : len(x) + steps])


@pytest.mark.parametrize("steps", [2, 3, 10])
@pytest.mark.parametrize("way", ["input", "stdin", "like model", "like data", "h5"])
def test_the_future_is_torchs(tmp_path, forecaster, steps, way):
    checkpoint, data, lstm, mean, std = forecaster
    new, out = tmp_path / "new.csv", tmp_path / "out.csv"
    frame = table(new, "2021-03-01 05:00", 40, ["temp", "at", "load", "city"], seed=2)
    arguments = ["predict", checkpoint, "--steps", steps]
    if way == "stdin":
        out.write_text(piped(new, *arguments, "--input", "-", "-o", "-"))
    elif way.startswith("like"):
        like = checkpoint if way == "like model" else data
        quadgate("prepare", "--like", like, new, "-o", tmp_path / "new.h5")
        quadgate(*arguments, "--data", tmp_path / "new.h5", "-o", out)
    elif way == "h5":
        quadgate(*arguments, "--input", new, "-o", tmp_path / "out.h5")
    else:
        quadgate(*arguments, "--input", new, "-o", out)
    scale = {name: std[i] for i, name in enumerate(NAMES)}
    series = dict(list(frame.groupby("city", sort=False)))
    expected = {}
    for city, rows in series.items():
        values = torch_forecast(lstm, (rows[NAMES].to_numpy() - mean) / std, steps) * std + mean
        times = pandas.date_range(rows["at"].iloc[-1], periods=steps + 1, freq="h")[1:]
        for step in range(steps):
            for i, name in enumerate(NAMES):
                expected[city, times[step], name, step + 1] = values[step, i]
    if way == "h5":
        with h5py.File(tmp_path / "out.h5") as file:
            found = file["prediction"][()]
            times = file["time"][()]
            assert list(file.attrs["series_names"]) == list(series)
            assert list(file.attrs["target_names"]) == ["temp", "load"]
        for w, city in enumerate(series):
            for step in range(steps):
                time = pandas.Timestamp(times[w, step], unit="s")
                for i, name in enumerate(["temp", "load"]):
                    truth = expected.pop((city, time, name, step + 1))
                    assert abs(found[w, step, i] - truth) < 1e-5 * scale[name]
        assert not expected
        return
    found = pandas.read_csv(out, parse_dates=["time"])
    assert list(found.columns) == ["series", "time", "target", "step", "prediction", "truth"]
    assert found["truth"].isna().all()
    assert len(found) == len(expected)
    for row in found.itertuples():
        truth = expected.pop((row.series, row.time, row.target, row.step))
        assert abs(row.prediction - truth) < 1e-5 * scale[row.target]


def test_windows_of_the_past_have_their_truth(tmp_path, forecaster):
    checkpoint, _, lstm, mean, std = forecaster
    new, out = tmp_path / "new.csv", tmp_path / "out.csv"
    frame = table(new, "2021-03-01", 30, ["at", "city", *NAMES], seed=3)
    quadgate("predict", checkpoint, "--input", new, "--windows", "--wide", "-o", out)
    found = pandas.read_csv(out, parse_dates=["time"])
    assert list(found.columns) == ["series", "time", "step", "temp", "load", "temp_truth", "load_truth"]
    assert len(found) == 2 * (30 - 12 - 3 + 1) * 3
    for number, (city, rows) in enumerate(frame.groupby("city", sort=False)):
        x, times = rows[NAMES].to_numpy(), rows["at"].to_numpy()
        of_city = found[found["series"] == city]
        for w in range(16):
            values = torch_forecast(lstm, (x[w : w + 12] - mean) / std, 3) * std + mean
            window = of_city.iloc[3 * w : 3 * w + 3]
            assert list(window["time"]) == list(times[w + 12 : w + 15])
            assert list(window["step"]) == [1, 2, 3]
            assert numpy.abs((window[NAMES].to_numpy() - values) / std).max() < 1e-5
            truth = window[["load_truth", "temp_truth"]].to_numpy()
            assert numpy.abs((truth - x[w + 12 : w + 15]) / std).max() < 1e-5
    metrics = quadgate("evaluate", checkpoint, "--input", new, "--json")
    error = (found[NAMES].to_numpy() - found[["load_truth", "temp_truth"]].to_numpy()) / std
    assert f'"mse":{(error**2).mean():.4f}'[:-1] in metrics


def test_a_gap_is_told_and_a_reader_that_goes_leaves_nothing_behind(tmp_path, forecaster):
    checkpoint = forecaster[0]
    frame = table(tmp_path / "new.csv", "2021-03-01", 600, ["at", "city", *NAMES], seed=3)
    table(tmp_path / "whole.csv", "2021-03-01", 30, ["at", "city", *NAMES], seed=3)
    with_gap = frame[frame["at"] != "2021-03-02 04:00"]
    with_gap[["at", "city", *NAMES]].to_csv(tmp_path / "gap.csv", index=False, sep=";")
    program, temporary = os.environ["QUADGATE_BIN"], tmp_path / "temporary"
    temporary.mkdir()
    for command in (["predict", "--windows", "-o", tmp_path / "out.csv"], ["evaluate"]):
        for name, note in (("gap", "windows span gaps: 2 rows are not 1h behind"), ("whole", "")):
            done = subprocess.run([program, *command, checkpoint, "--input", tmp_path / f"{name}.csv"],
                                  capture_output=True, text=True)  # fmt: skip
            assert done.returncode == 0
            assert note in done.stderr and (note or not done.stderr)
    command = [program, "predict", checkpoint, "--input", tmp_path / "new.csv", "--windows", "-o", "-"]
    reader = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env={**os.environ, "TMPDIR": str(temporary)})  # fmt: skip
    reader.stdout.read(1)
    reader.stdout.close()
    assert reader.wait() == -signal.SIGPIPE and reader.stderr.read() == b""
    assert not list(temporary.iterdir())


# What pandas calls the step, how the column writes times, and how many rows it takes to tell.
STEPS = [("15min", "%Y-%m-%d %H:%M"), ("D", "%Y-%m-%d"), ("MS", "%Y-%m-%d"), ("ME", "%Y-%m-%d"),
         ("QE", "%d.%m.%Y"), ("YS", "%Y-%m-%d"), ("B", "%d/%m/%Y"), ("h", "%Y%m%d%H%M%S"),
         ("W", "epoch"), ("100ms", "%Y-%m-%d %H:%M:%S.%f"), ("s", "%Y-%m-%dT%H:%M:%SZ")]  # fmt: skip


@pytest.mark.parametrize("freq, form", STEPS)
def test_times_go_on_at_the_series_own_step(tmp_path, freq, form):
    times = pandas.date_range("2019-11-30", periods=60 + 20, freq=freq)
    text = [str(int(t.timestamp())) if form == "epoch" else t.strftime(form) for t in times]
    for name, rows in (("old", text[:60]), ("new", text[60:70])):
        lines = [f"{t},{i % 7}" for i, t in enumerate(rows)]
        (tmp_path / f"{name}.csv").write_text("\n".join(["at,x", *lines]) + "\n")
    quadgate("prepare", "csv", tmp_path / "old.csv", "--time", "at", "-o", tmp_path / "old.h5")
    checkpoint = train(tmp_path, tmp_path / "old.h5", {"hidden_size": 2}, {"epochs": 1},
                       input_len=5, horizon=2)  # fmt: skip
    out = quadgate("predict", checkpoint, "--input", tmp_path / "new.csv", "--steps", 10, "-o", "-")
    found = [row["time"] for row in csv.DictReader(io.StringIO(out))]
    if form == "epoch":
        assert found == text[70:]
    elif form.endswith("S"):
        assert found == [t.strftime("%Y%m%d%H%M%S") for t in times[70:]]
    else:
        zone = "UTC" if form.endswith("Z") else None
        assert list(pandas.to_datetime(found)) == list(times[70:].tz_localize(zone))


def test_numbers_go_on_as_times(tmp_path):
    lines = [f"{1900 + i / 4},{i % 5}" for i in range(60)]
    (tmp_path / "a.csv").write_text("\n".join(["year,x", *lines]) + "\n")
    quadgate("prepare", "csv", tmp_path / "a.csv", "--time", "year", "-o", tmp_path / "a.h5")
    checkpoint = train(tmp_path, tmp_path / "a.h5", {"hidden_size": 2}, {"epochs": 1},
                       input_len=5, horizon=3)  # fmt: skip
    out = quadgate("predict", checkpoint, "--data", tmp_path / "a.h5", "-o", "-")
    assert [row.split(",")[1] for row in out.split()[1:]] == ["1915", "1915.25", "1915.5"]


def test_missing_values_become_the_means_of_old_rows(tmp_path):
    rng = numpy.random.default_rng(5)
    old = pandas.DataFrame(rng.normal(size=(60, 2)) + [3, 7], columns=NAMES)
    old.iloc[4, 1] = None
    old.to_csv(tmp_path / "old.csv", index=False)
    quadgate("prepare", "csv", tmp_path / "old.csv", "--missing", "mean", "-o", tmp_path / "old.h5")
    checkpoint = train(tmp_path, tmp_path / "old.h5", {"hidden_size": 4}, {"epochs": 1},
                       input_len=5, horizon=1)  # fmt: skip
    new = old.iloc[30:40].copy()
    new.iloc[8, 0] = None
    new.to_csv(tmp_path / "new.csv", index=False)
    new.iloc[8, 0] = old["load"].mean()
    found = pandas.read_csv(io.StringIO(
        quadgate("predict", checkpoint, "--input", tmp_path / "new.csv", "-o", "-")))  # fmt: skip
    lstm = Model(2, 2, hidden_size=4)
    lstm.load_state_dict(state_dict(checkpoint))
    with torch.no_grad():
        x = torch.from_numpy(new.to_numpy()[-5:].astype(numpy.float32))
        assert numpy.abs(found["prediction"].to_numpy() - lstm([x]).numpy()[0]).max() < 1e-5
    assert list(found["time"]) == [10, 10]
    assert evaluate(checkpoint, tmp_path / "old.h5", "train")["mse"] > 0


def test_times_are_told_that_are_not_as_those_of_the_training(tmp_path):
    """Of another zone, rows further apart than those that steps were made of, equal and falling."""
    at = pandas.date_range("2024-01-01", periods=240, freq="10min")
    load = numpy.sin(numpy.arange(240) / 6)
    frame = pandas.DataFrame({"at": at, "load": load})
    for name, zone in {"zoned": "Europe/Berlin", "plain": None}.items():
        frame.assign(at=at.tz_localize(zone)).to_csv(tmp_path / f"{name}.csv", index=False)

    def model(name, *options):
        quadgate("prepare", "csv", tmp_path / f"{name}.csv", *options, "-o", tmp_path / "a.h5")
        folder = tmp_path / "-".join([name, *options])
        folder.mkdir()
        return train(folder, tmp_path / "a.h5", {"hidden_size": 4}, {"epochs": 1},
                     input_len=6, horizon=2)  # fmt: skip

    def told(checkpoint, frame):
        frame.to_csv(tmp_path / "new.csv", index=False)
        command = [os.environ["QUADGATE_BIN"], "predict", checkpoint, "--input",
                   tmp_path / "new.csv", "-o", tmp_path / "out.csv", "--force"]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True)
        return done.returncode, done.stderr

    zoned, plain = model("zoned"), model("plain")
    both = {False: frame, True: frame.assign(at=at.tz_localize("UTC"))}
    for checkpoint, has_zone in ((zoned, True), (plain, False)):
        assert told(checkpoint, both[has_zone]) == (0, "")
        code, line = told(checkpoint, both[not has_zone])
        assert code == 0 and line.count("\n") == 1
        said = "have no zone, unlike" if has_zone else "have a zone, unlike"
        assert f"new.csv: column 'at': times {said} those of {checkpoint}: taken" in line
    code, line = told(plain, frame.drop(index=[20, 22]).iloc[[*range(50), 49, *range(50, 238)]])
    assert "rows at the time of the row before: 1" in line
    code, line = told(plain, frame.iloc[[*range(50), 51, 50, *range(52, 240)]])
    assert "rows whose time is before that of the row before: 1" in line

    hourly = model("plain", "--resample", "1h", "--missing", "forward")
    assert told(hourly, frame) == (0, "")
    assert told(hourly, frame[::6]) == (0, "")
    code, line = told(hourly, frame.drop(index=range(60, 100)))
    assert code == 0 and "missing values: 6 filled (forward)" in line
    code, line = told(hourly, frame.assign(at=at[0] + (at - at[0]) * 18))
    assert code == 1 and line.count("\n") == 1
    assert "new.csv: column 'at': expected rows at most 1h apart" in line
    assert f"{hourly}, which had rows every 10min, found rows every 3h" in line
    finer = model("plain", "--resample", "5min", "--missing", "forward")
    assert told(finer, frame)[0] == 0
    code, line = told(finer, frame[::6])
    assert code == 1 and "expected rows at most 10min apart" in line
