# Sweeps: quadgate.train beside the program `quadgate` on the same run files, each task; its ends: all
# epochs, a callback, an error of one, SIGINT; data of each kind that Python has; wrong input.
# No tolerance: metrics and weights have the same bits.

import json
import os
import pathlib
import signal
import subprocess
import sys
import threading
import types

import h5py
import numpy
import pandas
import pytest
import torch

import quadgate

TIMES = {"seconds", "data_wait_seconds", "sequences_per_second", "checkpoint_seconds"}
RNG = numpy.random.default_rng(1)
ROWS = [RNG.normal(size=(n, 3)).astype(numpy.float32) for n in RNG.integers(3, 12, 60)]
LABELS = numpy.array([int(row.sum() > 0) for row in ROWS])
SERIES = RNG.normal(size=(120, 2)).cumsum(0)


def program(*arguments):
    command = [os.environ["QUADGATE_BIN"], *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def weights(checkpoint):
    with h5py.File(checkpoint) as file:
        return {name: values[()] for name, values in file["state_dict"].items()}


def metrics(folder):
    lines = (pathlib.Path(folder) / "metrics.jsonl").read_text().splitlines()
    return [{k: v for k, v in json.loads(line).items() if k not in TIMES} for line in lines]


def expect_same_run(folder, other):
    assert metrics(folder) == metrics(other)
    for name in ("checkpoint.h5", "best.h5"):
        ours, theirs = weights(folder / name), weights(other / name)
        assert ours.keys() == theirs.keys()
        for key, values in ours.items():
            assert numpy.array_equal(values, theirs[key]), key


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "data.h5"
    quadgate.save_dataset(path, "classification", (ROWS[:40], LABELS[:40]),
                          valid=(ROWS[40:], LABELS[40:]))  # fmt: skip
    return path


@pytest.fixture
def config(tmp_path, data):
    return {
        "data": {"path": data},
        "model": {"hidden_size": 6, "num_layers": 2, "dropout": 0.25},
        "train": {"epochs": 4, "batch_size": 8},
        "output": {"dir": tmp_path / "run"},
    }


def write_run_file(tmp_path, data, more_data="", model="hidden_size = 6", train="epochs = 3"):
    path = tmp_path / "run.toml"
    path.write_text(f'[data]\npath = "{data}"\n{more_data}\n[model]\n{model}\n[train]\n{train}\n'
                    f'[output]\ndir = "{tmp_path / "program"}"\n')  # fmt: skip
    return path


def test_a_run_file_gives_what_the_program_gives(tmp_path, data, capfd):
    run_file = write_run_file(tmp_path, data, model="hidden_size = 6\ndropout = 0.25\nnum_layers = 2")
    program("train", run_file, "--threads", 2)
    capfd.readouterr()
    result = quadgate.train(run_file, threads=2, output={"dir": tmp_path / "ours"})
    assert capfd.readouterr() == ("", "")
    expect_same_run(tmp_path / "ours", tmp_path / "program")
    assert result.best == tmp_path / "ours/best.h5" and result.last.name == "checkpoint.h5"
    frame = result.metrics.drop(columns=list(TIMES))
    assert frame.to_dict("records") == metrics(tmp_path / "program")
    told = quadgate.evaluate(result, data, split="valid")
    assert told == json.loads(
        program("evaluate", tmp_path / "program/best.h5", "--data", data, "--split", "valid", "--json")
    )


@pytest.mark.parametrize("task", ["regression", "tagging", "forecast", "language_model"])
def test_each_task_gives_what_the_program_gives(tmp_path, task):
    path, window, model = tmp_path / "data.h5", "", "hidden_size = 6"
    if task == "forecast":
        window = "input_len = 8\nhorizon = 3"
        quadgate.save_dataset(path, task, SERIES, valid_fraction=0.25, standardize=True)
    elif task == "language_model":
        model += "\nembedding_size = 4"
        tokens = numpy.arange(400) % 3
        quadgate.save_dataset(path, task, tokens, valid=tokens[:200], token_names=list("abc"))
    else:
        y = [row[:, 0] for row in ROWS] if task == "tagging" else [row[0, :2] for row in ROWS]
        y = [(row > 0).astype(int) for row in y] if task == "tagging" else y
        quadgate.save_dataset(path, task, (ROWS[:40], y[:40]), valid=(ROWS[40:], y[40:]))
    run_file = write_run_file(tmp_path, path, window, model)
    program("train", run_file, "--threads", 1, "--quiet")
    result = quadgate.train(run_file, threads=1, output={"dir": tmp_path / "ours"})
    expect_same_run(result.run_dir, tmp_path / "program")
    program("predict", result.best, "--data", path, "--split", "valid", "-o", tmp_path / "p.h5")
    answer = quadgate.predict(result, path, split="valid")
    with h5py.File(tmp_path / "p.h5") as file:
        for name, values in file.items():
            assert numpy.array_equal(values[()], answer[name], equal_nan=True), name


def test_tables_and_overrides(tmp_path, config):
    result = quadgate.train(config, train={"lr": numpy.float64(0.5), "epochs": numpy.int32(1)},
                            **{"model.hidden_size": 5, "model.dropout": None})  # fmt: skip
    resolved = (result.run_dir / "run.toml").read_text()
    assert "lr = 0.5" in resolved and "epochs = 1" in resolved and "batch_size = 8" in resolved
    assert "hidden_size = 5" in resolved and "num_layers = 2" in resolved
    assert "dropout = 0" in resolved and len(result.metrics) == 1


def test_callbacks_see_each_epoch_and_stop(tmp_path, config):
    whole = quadgate.train(config, output={"dir": tmp_path / "whole"})
    seen, also = [], []
    result = quadgate.train(config, callbacks=[seen.append, lambda m: also.append(m) or len(also) == 2])
    assert seen == also and [m["epoch"] for m in seen] == [1, 2]
    assert [{k: v for k, v in m.items() if k not in TIMES} for m in seen] == metrics(whole.run_dir)[:2]
    quadgate.train(config, callbacks=seen.append, resume=True)
    assert [m["epoch"] for m in seen] == [1, 2, 3, 4]
    expect_same_run(result.run_dir, whole.run_dir)


def test_what_a_callback_raises_comes_out(tmp_path, config):
    def fail(told):
        raise KeyError(told["epoch"])

    with pytest.raises(KeyError, match="1"):
        quadgate.train(config, callbacks=fail)
    assert len(metrics(tmp_path / "run")) == 1
    quadgate.train(config, resume=True)
    quadgate.train(config, output={"dir": tmp_path / "whole"})
    expect_same_run(tmp_path / "run", tmp_path / "whole")


def test_an_interrupt_saves_and_the_program_resumes(tmp_path, config):
    run_file = write_run_file(tmp_path, config["data"]["path"], model="hidden_size = 6",
                              train="epochs = 40\nbatch_size = 8")  # fmt: skip
    handler = signal.getsignal(signal.SIGINT)
    timers = []

    def interrupt(told):
        if told["epoch"] == 3:
            timers.append(threading.Timer(0.001, os.kill, (os.getpid(), signal.SIGINT)))
            timers[0].start()

    with pytest.raises(KeyboardInterrupt):
        quadgate.train(run_file, callbacks=interrupt, threads=1)
    assert signal.getsignal(signal.SIGINT) == handler
    assert 3 <= len(metrics(tmp_path / "program")) < 40
    program("train", run_file, "--resume", "--quiet")
    quadgate.train(run_file, output={"dir": tmp_path / "whole"})
    expect_same_run(tmp_path / "program", tmp_path / "whole")


def test_an_interrupt_in_a_callback_is_one(tmp_path, config):
    with pytest.raises(KeyboardInterrupt):
        quadgate.train(config, callbacks=lambda told: os.kill(os.getpid(), signal.SIGINT))
    assert len(metrics(tmp_path / "run")) == 1


def test_threads_train_beside_each_other(tmp_path, config):
    def run(name):
        quadgate.train(config, output={"dir": tmp_path / name}, threads=1)

    threads = [threading.Thread(target=run, args=(str(i),)) for i in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    run("alone")
    for i in range(3):
        expect_same_run(tmp_path / str(i), tmp_path / "alone")


FRAMES = [pandas.DataFrame(row, columns=list("abc")) for row in ROWS]
KINDS = {
    "arrays": (ROWS, LABELS),
    "tensors": ([torch.tensor(row, requires_grad=True) for row in ROWS], torch.tensor(LABELS)),
    "frames": (FRAMES, pandas.Series(LABELS, index=range(100, 160))),
    "lists": ([row.tolist() for row in ROWS], LABELS.tolist()),
}


@pytest.mark.parametrize("kind", KINDS)
def test_data_of_each_kind(tmp_path, config, data, kind):
    x, y = KINDS[kind]
    arrays = {"train": (x[:40], y[:40]), "valid": (x[40:], y[40:])}
    result = quadgate.train(config, data=arrays)
    files = quadgate.train(config, output={"dir": tmp_path / "files"})
    expect_same_run(result.run_dir, files.run_dir)
    assert quadgate.evaluate(result, (x[40:], y[40:]))["loss"] == pytest.approx(
        quadgate.evaluate(result, data, split="valid")["loss"], abs=0
    )
    answer = quadgate.predict(result, x)
    assert "label" not in answer and answer["class_names"].tolist() == ["0", "1"]
    assert answer["predicted"].shape == (60,)
    assert numpy.array_equal(quadgate.predict(result, ROWS)["logits"], answer["logits"])


@pytest.mark.parametrize("x, y, task", [
    (numpy.stack([row[:3] for row in ROWS]), LABELS, "classification"),
    (numpy.stack([row[:3] for row in ROWS]), ["no" if y else "yes" for y in LABELS], "classification"),
    (ROWS, LABELS / 2, "regression"),
    (ROWS, pandas.DataFrame({"a": LABELS / 2, "b": LABELS / 3}), "regression"),
    (ROWS, [(row[:, 0] > 0).astype(int) for row in ROWS], "tagging"),
    (numpy.stack([row[:3] for row in ROWS]), numpy.stack([row[:3, 0] > 0 for row in ROWS]), "tagging"),
    (SERIES, None, "forecast"),
    (pandas.DataFrame(SERIES, columns=["a", "b"]), None, "forecast"),
])  # fmt: skip
def test_the_task_follows_from_the_data(tmp_path, config, x, y, task):
    window = {"input_len": 8, "horizon": 3} if task == "forecast" else {}
    result = quadgate.train(config, data=x if y is None else (x, y), train={"epochs": 1},
                            **{f"data.{key}": value for key, value in window.items()})  # fmt: skip
    assert result.best == result.last  # there is no valid split
    with h5py.File(result.last) as file:
        found = file["model"].attrs
        assert ("forecast" if "horizon" in found else found["task"]) == task
        if isinstance(x, pandas.DataFrame):
            assert list(found["feature_names"]) == ["a", "b"]
    metric = {"regression": "mse", "forecast": "mase"}.get(task, "accuracy")
    assert metric in quadgate.evaluate(result, x if y is None else (x, y))
    answer = quadgate.predict(result, x)
    if task == "forecast":
        assert answer["prediction"].shape == (1, 3, 2)
        windows = quadgate.predict(result, x, windows=True)
        assert windows["prediction"].shape == windows["truth"].shape == (120 - 8 - 3 + 1, 3, 2)


@pytest.mark.parametrize("standardize", [False, True])
def test_predictions_are_the_modules_outputs(tmp_path, config, standardize):
    x = 5 + 3 * numpy.stack([row[:3] for row in ROWS])
    split = {"train": (x, LABELS), "valid": (x, LABELS), "standardize": standardize}
    result = quadgate.train(config, data=split)
    model = result.model()
    with torch.no_grad():
        logits = model(model.standardize(torch.from_numpy(x)))
    answer = quadgate.predict(result, x)
    assert numpy.abs(answer["logits"] - logits.numpy()).max() < 1e-5
    assert (answer["predicted"] == logits.numpy().argmax(1)).all()


BAD = [
    (dict(train={"lr": -1}), ValueError, "config: train.lr: expected a finite number, at least 0, found -1"),
    (dict(train={"rate": 1}), ValueError, "config: unknown key 'train.rate'"),
    (dict(model={"hidden_size": None}), ValueError, "config: model.hidden_size: expected .*no such key"),
    (dict(model={"cell": object()}), ValueError, "cell: expected a value of a run file, found object"),
    (dict(data="missing.h5"), OSError, "missing.h5: No such file"),
    (dict(data={"valid": 1}), ValueError, "data: expected a train split, found valid"),
    (dict(data=(numpy.zeros((4, 3)), LABELS[:4])), ValueError,
     r"train: expected sequences of shape \[T, I\], found \(3,\) as number 0"),
    (dict(data=([ROWS[0], ROWS[1][:, :2]], [0, 1])), ValueError,
     r"train: expected sequences of shape \[T, 3\], found \(.*, 2\) as number 1"),
    (dict(data=(ROWS, LABELS[:5])), ValueError, "train: expected 60 targets, one a sequence, found 5"),
    (dict(data=(FRAMES[0], LABELS)), ValueError, "train: expected an array .*found a frame"),
    (dict(data=pandas.DataFrame({"date": ["x", "y"], "a": [1, 2]})), ValueError,
     "train: column 'date': expected numbers, found str"),
    (dict(data=([row * numpy.nan for row in ROWS], LABELS)), ValueError,
     "^data: dataset 'train/x' row 0: not finite"),
    (dict(resume=True), OSError, "run: nothing to resume"),
    (dict(threads=5000), ValueError, "threads: expected"),
]  # fmt: skip


@pytest.mark.parametrize("arguments, error, message", BAD, ids=range(len(BAD)))
def test_wrong_input_is_named(tmp_path, config, arguments, error, message):
    with pytest.raises(error, match=message):
        quadgate.train(config, **arguments)
    assert not (tmp_path / "run").exists()


def test_wrong_run_files_are_named(tmp_path, config):
    (tmp_path / "bad.toml").write_text("[data\n")
    with pytest.raises(ValueError, match="bad.toml: expected TOML: .*line 1"):
        quadgate.train(tmp_path / "bad.toml")
    with pytest.raises(OSError, match="none.toml"):
        quadgate.train(tmp_path / "none.toml")
    quadgate.train(config)
    with pytest.raises(OSError, match=r"already holds a run .* or resume=True$"):
        quadgate.train(config)


def test_wrong_data_of_a_model_are_named(tmp_path, config):
    result = quadgate.train(config)
    with pytest.raises(ValueError, match="^data: features: the model expects 3 .*, found 2"):
        quadgate.predict(result, [row[:, :2] for row in ROWS])
    with pytest.raises(ValueError, match=r"data: expected a pair \(x, y\), found one value"):
        quadgate.evaluate(result, ROWS)
    with pytest.raises(ValueError, match="labels: expected from 0 to 1, found 2"):
        quadgate.evaluate(result, (ROWS, LABELS + 1))
    with pytest.raises(OSError, match="none.h5"):
        quadgate.predict(tmp_path / "none.h5", ROWS)


def test_a_bar_shows_the_epochs(monkeypatch, config):
    bars = []

    class Bar:
        def __init__(self, total, unit):
            self.total, self.n = total, 0
            bars.append(self)

        def update(self, by):
            self.n += by

        def set_postfix(self, told, refresh):
            self.told = told

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

    monkeypatch.setitem(sys.modules, "tqdm", types.ModuleType("tqdm"))
    monkeypatch.setitem(sys.modules, "tqdm.auto", types.SimpleNamespace(tqdm=Bar))
    quadgate.train(config, progress=True)
    assert [(bar.total, bar.n) for bar in bars] == [(4, 4)] and "valid_loss" in bars[0].told
    quadgate.train(config, progress=True, resume=True, train={"epochs": 6})
    assert (bars[1].total, bars[1].n) == (6, 6)
    quadgate.train(config, resume=True, train={"epochs": 7})  # not on a terminal
    assert len(bars) == 2


def test_a_missing_package_is_named(monkeypatch, config):
    for name in ("tqdm", "tqdm.auto", "matplotlib", "matplotlib.pyplot"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match="tqdm is not installed: pip install tqdm"):
        quadgate.train(config, progress=True)
    result = quadgate.train(config)
    with pytest.raises(ImportError, match="pip install matplotlib"):
        result.plot()


def test_the_plot_has_each_metric(config):
    pytest.importorskip("matplotlib").use("agg")
    figure = quadgate.train(config).plot()
    assert [axis.get_title() for axis in figure.axes] == ["loss", "accuracy"]
    assert all(len(line.get_xdata()) == 4 for axis in figure.axes for line in axis.lines)


def test_training_imports_no_torch(tmp_path, data):
    run_file = write_run_file(tmp_path, data)
    code = f"import sys, quadgate; quadgate.train({str(run_file)!r}); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("False\n", "")
