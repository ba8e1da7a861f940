# Sweeps: quadgate.train beside the program `quadgate` on the same run files, each task; its ends: all
# epochs, a callback, an error of one, SIGINT. No tolerance: metrics and weights have the same bits.

import importlib.machinery
import json
import os
import signal
import subprocess
import sys
import threading
import types

import h5py
import numpy
import pytest

import quadgate
from train_support import LABELS, ROWS, SERIES, TIMES, expect_same_run, metrics, program, write_run_file


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
    several = type("Several", (list,), {"__call__": lambda self, told: seen.append(told)})
    quadgate.train(config, callbacks=several(), resume=True)  # called, not gone through
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

    package = types.ModuleType("tqdm")
    package.__spec__ = importlib.machinery.ModuleSpec("tqdm", None)
    monkeypatch.setitem(sys.modules, "tqdm", package)
    monkeypatch.setitem(sys.modules, "tqdm.auto", types.SimpleNamespace(tqdm=Bar))
    quadgate.train(config, progress=True)
    assert [(bar.total, bar.n) for bar in bars] == [(4, 4)] and "valid_loss" in bars[0].told
    quadgate.train(config, progress=True, resume=True, train={"epochs": 6})
    assert (bars[1].total, bars[1].n) == (6, 6)
    quadgate.train(config, resume=True, train={"epochs": 7})  # not on a terminal
    assert len(bars) == 2
    for shell, shown in ((None, 2), (types.SimpleNamespace(kernel=1), 3)):  # imported alone, in a notebook
        ipython = types.SimpleNamespace(get_ipython=lambda shell=shell: shell)
        monkeypatch.setitem(sys.modules, "IPython", ipython)
        quadgate.train(config, resume=True, train={"epochs": 8})
        assert len(bars) == shown


def test_a_missing_package_is_named(monkeypatch, config):
    for name in ("tqdm", "tqdm.auto", "matplotlib", "matplotlib.pyplot"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match='tqdm .*: pip install "quadgate.train."'):
        quadgate.train(config, progress=True)
    result = quadgate.train(config)
    with pytest.raises(ImportError, match='pip install "quadgate.train."'):
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
