"""The page of forecasts (`predict -o NAME.html`): its numbers beside those of the CSV file and of pandas, and,
where there is node, what its script gives to Chart.js. Sweeps the future and the past, one series and
several, times or none. Tolerance: of float32 inputs, and of the digits of the CSV file."""

import json
import os
import re
import shutil
import subprocess

import numpy
import pandas
import pytest

from support import quadgate, train

INPUT, HORIZON = 36, 6


def table(path, rows, series, times):
    rng = numpy.random.default_rng(3)
    frames = []
    for name in series:
        peak = 5.0 * (numpy.arange(rows) % 12 == 5)
        frame = pandas.DataFrame({"load": 10 + peak + rng.normal(size=rows) / 5,
                                  "oil": 50 + peak + rng.normal(size=rows)})  # fmt: skip
        if len(series) > 1:
            frame["city"] = name
        if times:
            frame.insert(0, "at", pandas.date_range("2020-01-01", periods=rows, freq="h"))
        frames.append(frame)
    frame = pandas.concat(frames)
    frame.to_csv(path, index=False)
    return frame


def record_of(page):
    """The numbers of a page, which asks for nothing from elsewhere."""
    text = page.read_text()
    of_others = re.sub(r"<script>.*?</script>|<!--.*?-->", "", text, flags=re.S)
    assert not re.search(r"(src|href)=|url\(|@import", of_others)
    return json.loads(re.search(r'id="record">(.*?)</script>', text, re.S)[1])


STUB = """
const fs = require("fs");
const text = fs.readFileSync(process.argv[1], "utf8");
const scripts = [...text.matchAll(/<script>([^]*?)<\\/script>/g)].map((match) => match[1]);
const record = /id="record">([^]*?)<\\/script>/.exec(text)[1];
const element = () => ({append() {}, appendChild: (child) => child, addEventListener() {},
                        value: process.argv[2]});
const named = {record: {textContent: record}};
const document = {createElement: element, getElementById: (id) => named[id] ??= {...element(), id}};
const plots = {};
class Chart { constructor(canvas, settings) { plots[canvas.id] = settings; } destroy() {} }
new Function("document", "Chart", scripts.at(-1))(document, Chart);
new Function(scripts[0]);  // Chart.js itself is whole
console.log(JSON.stringify(plots));
"""


def plots_of(page, choice):
    """What the page plots where each of its choices has this number."""
    if not shutil.which("node"):
        return None
    done = subprocess.run(["node", "-e", STUB, "--", page, str(choice)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def forecaster(folder, series=("",), times=True, rows=240, **settings):
    frame = table(folder / "old.csv", rows, series, times)
    group = ["--group", "city"] if len(series) > 1 else []
    quadgate("prepare", "csv", folder / "old.csv", *group, "--standardize", "--test-fraction", 0.3,
             "-o", folder / "old.h5")  # fmt: skip
    checkpoint = train(folder, folder / "old.h5", {"hidden_size": 8}, {"epochs": 2, **settings},
                       input_len=INPUT, horizon=HORIZON, targets=["oil", "load"])  # fmt: skip
    return checkpoint, frame


PINBALL = {"loss": "pinball", "quantiles": [0.1, 0.25, 0.5, 0.75, 0.9]}


@pytest.mark.parametrize("series", [("",), ("Ulm", "</script>Bonn")])
@pytest.mark.parametrize("times", [True, False])
@pytest.mark.parametrize("past", [True, False])
def test_the_page_has_the_numbers_of_the_table(tmp_path, series, times, past):
    checkpoint, frame = forecaster(tmp_path, series, times, **PINBALL)
    arguments = ["predict", checkpoint, "--data", tmp_path / "old.h5", "-o"]
    more = ["--windows"] if past else []
    quadgate(*arguments, tmp_path / "out.csv", *more)
    quadgate(*arguments, tmp_path / "out.html", *more)
    record = record_of(tmp_path / "out.html")
    names = ["q0.1", "q0.25", "q0.5", "q0.75", "q0.9"]
    assert (record["targets"], record["bands"], record["point"]) == (["oil", "load"], names, "q0.5")
    found = pandas.read_csv(tmp_path / "out.csv", dtype={"time": str}, keep_default_na=False)
    rows = dict(list(found.groupby("series", sort=False)))
    windows = {name: [w for w in record["windows"] if w["series"] == name] for name in series}
    for name in series:
        of_series = frame[frame["city"] == name] if len(series) > 1 else frame
        firsts = [w["row"] for w in windows[name]]
        # Windows of 72 test rows whose targets lie in the 30 % at the end, one behind the other.
        assert firsts == (list(range(168, 240, HORIZON)) if past else [240])
        for window in windows[name]:
            skip = (window["row"] - 168) * HORIZON * 2 if past else 0
            csv = rows[name].iloc[skip : skip + 2 * HORIZON]
            assert window["times"] == list(csv["time"])[::2]
            before = of_series.iloc[window["row"] - INPUT : window["row"]]
            if times:
                assert pandas.to_datetime(window["history_times"]).equals(pandas.DatetimeIndex(before["at"]))
            else:
                numbers = range(window["row"] - INPUT, window["row"])
                assert window["history_times"] == list(map(str, numbers))
            for target, values in zip(record["targets"], window["targets"]):
                its = csv[csv["target"] == target]
                same = lambda column: pytest.approx(its[column].astype(float).to_numpy(), rel=1e-6)
                assert values["prediction"] == same("prediction")
                for band in names:
                    assert values["bands"][band] == same(band)
                if past:
                    assert values["truth"] == same("truth")
                assert ("truth" in values) == past
                history = before[target].to_numpy()
                assert numpy.abs(values["history"] - history).max() < 1e-5
                assert list(values["baselines"]) == ["last value", "12 rows before"]
                last, season = values["baselines"].values()
                assert last == [values["history"][-1]] * HORIZON
                assert season == values["history"][-12 : -12 + HORIZON]


@pytest.mark.parametrize("past", [True, False])
def test_its_plots_show_them(tmp_path, past):
    checkpoint, _ = forecaster(tmp_path, **PINBALL)
    page = tmp_path / "out.html"
    quadgate("predict", checkpoint, "--data", tmp_path / "old.h5", "-o", page,
             *(["--windows"] if past else []))  # fmt: skip
    windows = record_of(page)["windows"]
    number = 1 if past else 0
    plots = plots_of(page, number)
    if plots is None:
        pytest.skip("no node")
    assert set(plots) == ({"window", "all"} if past else {"window"})
    window = windows[number]
    its = window["targets"][number]
    plot = plots["window"]["data"]
    assert plot["labels"] == window["history_times"] + window["times"]
    lines = {line["label"]: line for line in plot["datasets"]}
    assert list(lines) == ["truth", "prediction (q0.5)", "last value", "12 rows before", "q0.1",
                           "q0.1 to q0.9", "q0.25", "q0.25 to q0.75"]  # fmt: skip
    nulls = [None] * INPUT
    assert lines["truth"]["data"] == its["history"] + its.get("truth", [None] * HORIZON)
    assert lines["prediction (q0.5)"]["data"] == nulls + its["prediction"]
    assert lines["12 rows before"]["data"] == nulls + its["baselines"]["12 rows before"]
    for low, high in (("q0.1", "q0.9"), ("q0.25", "q0.75")):
        at = list(lines).index(low)
        assert lines[low]["data"] == nulls + its["bands"][low]
        assert lines[f"{low} to {high}"]["data"] == nulls + its["bands"][high]
        assert list(lines).index(f"{low} to {high}") == at + 1 and lines[f"{low} to {high}"]["fill"] == "-1"
    if past:
        lines = {line["label"]: line["data"] for line in plots["all"]["data"]["datasets"]}
        for name, key in (("truth", "truth"), ("prediction (q0.5)", "prediction")):
            assert lines[name] == [v for w in windows for v in w["targets"][number][key]]
        assert len(plots["all"]["data"]["labels"]) == len(lines["truth"])


def test_of_many_windows_some_are_shown(tmp_path):
    checkpoint, _ = forecaster(tmp_path, rows=12000)
    command = [os.environ["QUADGATE_BIN"], "predict", checkpoint, "--data", tmp_path / "old.h5",
               "--windows", "-o", tmp_path / "out.html"]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0
    rows = [window["row"] for window in record_of(tmp_path / "out.html")["windows"]]
    assert rows == list(range(8400, 12000 - HORIZON + 1, 2 * HORIZON))
    assert done.stderr == (f"quadgate: note: the page shows {len(rows)} of {3600 - HORIZON + 1} windows, "
                           "evenly spread, which do not overlap\n")  # fmt: skip


def test_pages_are_of_forecasts(tmp_path):
    checkpoint, _ = forecaster(tmp_path)
    command = [os.environ["QUADGATE_BIN"], "predict", checkpoint, "--data", tmp_path / "old.h5",
               "--split", "test", "-o", tmp_path / "out.html"]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (2, "quadgate: error: --output in .html: expected --windows "
                                                 "beside --split, found none\n")  # fmt: skip
