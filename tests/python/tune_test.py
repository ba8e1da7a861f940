# Sweeps: quadgate.tune with each sampler, beside Optuna's samplers, mealpy's own loop and the program's
# training of the best run file; its ends: all trials, SIGINT, SIGKILL, failing trials, other settings. No
# tolerance: parameters and metrics have the same bits.

import importlib.machinery
import logging
import os
import pathlib
import resource
import signal
import subprocess
import sys
import threading
import time
import types

import numpy
import pytest

import quadgate
from train_support import LABELS, ROWS, expect_same_run, program

optuna = pytest.importorskip("optuna")

from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution  # noqa: E402
from optuna.trial import TrialState  # noqa: E402
from sqlalchemy.exc import OperationalError  # noqa: E402

from quadgate import _program, _study  # noqa: E402
from quadgate._journal import Journal  # noqa: E402

SPACE = {
    "train.lr": FloatDistribution(1e-3, 0.1, log=True),
    "model.hidden_size": IntDistribution(2, 12),
    "model.cell": ["lstm", "gru"],
    "train.clip_norm": [None, 1.0],
}


@pytest.fixture
def config(tmp_path, data):
    return {
        "data": {"path": data},
        "train": {"epochs": 3, "batch_size": 8},
        "output": {"dir": tmp_path / "tuned"},
    }


def trained(study):
    """What the trials of a study came to, by their draws."""
    trials = study.get_trials(states=(TrialState.COMPLETE, TrialState.PRUNED))
    return {t.user_attrs["draw"]: (t.params, t.intermediate_values, t.state) for t in trials}


def tune_into(folder, config, n_trials, sampler, **arguments):
    arguments = {"prune": False, "n_jobs": 1} | arguments
    return quadgate.tune(config, SPACE, n_trials, sampler=sampler, output={"dir": folder}, **arguments)


class StoppingBar:
    """tqdm, with Ctrl-C when so many trials have ended."""

    def __init__(self, monkeypatch, after=None):
        self.after, self.n, self.told = after, 0, {}
        package = types.ModuleType("tqdm")
        package.__spec__ = importlib.machinery.ModuleSpec("tqdm", None)
        monkeypatch.setitem(sys.modules, "tqdm", package)
        monkeypatch.setitem(sys.modules, "tqdm.auto", types.SimpleNamespace(tqdm=self))

    def __call__(self, total, unit):
        self.total, self.unit, self.n = total, unit, 0
        return self

    def update(self, by):
        self.n += by
        if self.n == self.after:
            os.kill(os.getpid(), signal.SIGINT)

    def set_postfix(self, told):
        self.told = told

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


def test_the_best_run_file_trains_to_the_same_model(tmp_path, config, capfd):
    result = quadgate.tune(config, SPACE, 5, sampler="random", n_jobs=2)
    assert capfd.readouterr() == ("", "")
    program("train", result.run_file, "--quiet")
    expect_same_run(tmp_path / "tuned/best", result.best.run_dir)
    ours = quadgate.train(config, output={"dir": tmp_path / "again"}, **result.best_params)
    assert ours.metrics["valid_loss"].min() == result.best_value
    frame = result.trials
    assert len(frame) == 5 and frame["value"].min() == result.best_value
    assert set(result.best_params) == set(SPACE) and result.study.best_value == result.best_value
    folders = {path.name for path in (tmp_path / "tuned").iterdir() if path.is_dir()}
    assert folders == {"best", result.best.run_dir.name}


SLOW = pytest.mark.slow
SEED = 5
QUIET = {"warn_independent_sampling": False}
SAMPLERS = {
    "random": lambda own: optuna.samplers.RandomSampler(seed=own),
    "tpe": lambda own: optuna.samplers.TPESampler(seed=own),
    "cmaes": lambda own: optuna.samplers.CmaEsSampler(seed=own, **QUIET),
    "nsgaii": lambda own: optuna.samplers.NSGAIISampler(seed=own),
    "gp": lambda own: optuna.samplers.GPSampler(seed=own, **QUIET),
    "qmc": lambda own: optuna.samplers.QMCSampler(
        seed=SEED, scramble=True, independent_sampler=optuna.samplers.RandomSampler(seed=own), **QUIET
    ),
}


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
@pytest.mark.parametrize(
    "name, count",
    [("random", 3), ("tpe", 13), ("cmaes", 6), ("nsgaii", 3), ("qmc", 4), pytest.param("gp", 12, marks=SLOW)],
)
def test_draws_are_those_of_optuna(config, name, count):
    if name == "cmaes":
        pytest.importorskip("cmaes")
    result = tune_into(config["output"]["dir"], config, count, name, seed=SEED, train={"epochs": 1})
    study = optuna.create_study()
    space = {
        key: CategoricalDistribution(values) if isinstance(values, list) else values
        for key, values in SPACE.items()
    }
    for number, trial in enumerate(result.study.trials):
        own = int(numpy.random.SeedSequence((SEED, number)).generate_state(1)[0])
        study.sampler = SAMPLERS[name](own)
        other = study.ask(space)
        assert other.params == trial.params
        study.tell(other, trial.value)
    if name in ("cmaes", "gp", "qmc"):  # the last ones are no random draws
        study.sampler = SAMPLERS["random"](own)
        assert study.ask(space).params != trial.params


@pytest.mark.parametrize(
    "name, count, jobs", [("random", 8, 3), ("gwo", 10, 2), pytest.param("tpe", 14, 1, marks=SLOW)]
)
def test_ctrl_c_returns_what_was_found_and_the_same_call_goes_on(
    tmp_path, config, monkeypatch, caplog, name, count, jobs
):
    """To the trials of a search that was never stopped, whose trials came one by one."""
    if name == "gwo":
        pytest.importorskip("mealpy")
    whole = tune_into(tmp_path / "whole", config, count, name)
    stop = count // 2 + 1
    bar = StoppingBar(monkeypatch, after=stop)
    handler = signal.getsignal(signal.SIGINT)
    result = tune_into(tmp_path / "tuned", config, count, name, progress=True, n_jobs=jobs)
    assert signal.getsignal(signal.SIGINT) == handler
    assert (bar.total, bar.unit) == (count, "trial") and bar.told == {"best": result.best_value}
    ended = trained(result.study)
    assert stop <= len(ended) < count
    assert f"stopped after {len(ended)} of {count} trials" in caplog.text
    assert result.best.metrics["valid_loss"].min() == result.best_value and result.run_file.exists()
    bar.after = None
    result = tune_into(tmp_path / "tuned", config, count, name, progress=True, n_jobs=jobs)
    assert bar.n == count and trained(result.study) == trained(whole.study)
    assert result.best_params == whole.best_params
    assert all(t.state != TrialState.RUNNING for t in result.study.trials)
    monkeypatch.setattr(_program, "train", None)  # nothing is left to do
    assert tune_into(tmp_path / "tuned", config, count, name, progress=True).best_value == whole.best_value
    assert bar.n == count


@pytest.mark.slow
def test_goes_on_after_sigkill(tmp_path, config):
    tune_into(tmp_path / "whole", config, 6, "random")
    code = f"""
import os, pathlib, signal, quadgate, quadgate._program
import tune_test
train, calls = quadgate._program.train, []
def train_or_die(*arguments):
    calls.append(1)
    if len(calls) == 4:
        pathlib.Path({str(tmp_path / "tuned/best.toml")!r}).unlink()
        os.kill(os.getpid(), signal.SIGKILL)
    train(*arguments)
quadgate._program.train = train_or_die
config = {{"data": {{"path": {str(config["data"]["path"])!r}}}, "train": {config["train"]}}}
tune_test.tune_into({str(tmp_path / "tuned")!r}, config, 6, "random")
"""
    died = subprocess.run([sys.executable, "-c", code], cwd=pathlib.Path(__file__).parent)
    assert died.returncode == -signal.SIGKILL
    result = tune_into(tmp_path / "tuned", config, 6, "random")
    states = [trial.state for trial in result.study.trials]
    assert states.count(TrialState.FAIL) == 1 and len(trained(result.study)) == 6
    program("train", result.run_file, "--quiet")
    expect_same_run(tmp_path / "tuned/best", result.best.run_dir)


def test_ctrl_c_before_anything_is_found(tmp_path, config):
    class Interrupt(logging.Handler):
        def emit(self, record):  # in the thread of a training, which takes the signal
            assert threading.current_thread() is not threading.main_thread()
            time.sleep(0.3)  # until the main thread waits
            signal.pthread_kill(threading.get_ident(), signal.SIGINT)

    logger, handler = logging.getLogger("quadgate"), Interrupt()
    logger.addHandler(handler)
    level = logger.level
    logger.setLevel(logging.INFO)
    try:
        with pytest.raises(KeyboardInterrupt):
            quadgate.tune(config, SPACE, 4, n_jobs=2, train={"epochs": 10000})
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
    assert not list((tmp_path / "tuned").glob("trial-*"))


@pytest.mark.parametrize("monitor", [None, "accuracy"])
def test_prunes_by_the_median_of_the_monitor(config, monitor):
    result = quadgate.tune(config, SPACE, 10, sampler="random", n_jobs=1, train={"monitor": monitor})
    metric = f"valid_{monitor or 'loss'}"
    assert result.best.metrics[metric].agg("max" if monitor else "min") == result.best_value
    sign = -1 if monitor else 1
    complete, pruned = [], 0
    for trial in result.study.trials:
        values = {step: sign * value for step, value in trial.intermediate_values.items()}
        worse = [
            step
            for step in values
            if len(complete) >= 5
            and min(v for s, v in values.items() if s <= step) > numpy.median([c[step] for c in complete])
        ]
        assert worse == ([max(values)] if trial.state == TrialState.PRUNED else [])
        if trial.state == TrialState.PRUNED:
            pruned += 1
        else:
            complete.append(values)
            assert trial.value == sign * min(values.values())
    assert pruned > 0


def test_failing_trials_are_told_and_others_go_on(config, caplog):
    space = {"train.lr": [0.01, 1e38], "model.hidden_size": [4]}
    result = quadgate.tune(config, space, 6, sampler="random")
    failed = [t for t in result.study.trials if t.state == TrialState.FAIL]
    assert 0 < len(failed) < 6 and result.best_params["train.lr"] == 0.01
    assert all(t.params["train.lr"] == 1e38 and "diverged" in t.user_attrs["error"] for t in failed)
    assert caplog.text.count(" failed: ") == len(failed)


def test_where_all_trials_fail_another_search_may_begin(config):
    with pytest.raises(ValueError, match="all trials failed.*model.hidden_size: expected an integer"):
        quadgate.tune(config, {"model.hidden_size": FloatDistribution(1.2, 1.8)}, 2)
    counts = {"n_trials": numpy.int64(2), "n_jobs": numpy.int32(1), "seed": numpy.int64(1)}
    result = quadgate.tune(config, {"model.hidden_size": [4]}, **counts, train={"monitor": "accuracy"})
    assert len(result.trials) == 2 and result.study.direction.name == "MAXIMIZE"


def test_other_settings_are_not_the_same_search(tmp_path, config):
    data = {"train": (ROWS[:40], LABELS[:40]), "valid": (ROWS[40:], LABELS[40:])}
    arguments = {"sampler": "random", "data": data, "storage": tmp_path / "study.log"}
    first = quadgate.tune(config, SPACE, 2, **arguments)
    assert len(quadgate.tune(config, SPACE, 3, **arguments).trials) == 3
    changed = {"train": (ROWS[1:40], LABELS[1:40]), "valid": data["valid"]}
    for key, config_now, space, more in [
        ("train.epochs", config | {"train": {"epochs": 4, "batch_size": 8}}, SPACE, {}),
        ("space: model.cell", config, SPACE | {"model.cell": ["gru"]}, {}),
        ("seed", config, SPACE, {"seed": 2}),
        ("data: checksum 0", config, SPACE, {"data": changed}),
    ]:
        with pytest.raises(ValueError, match=f"^{key}: expected .* as in the study in .*study.log, found"):
            quadgate.tune(config_now, space, 3, **(arguments | more))
    program("train", first.run_file, "--quiet")  # on the data of the study


def test_files_that_cannot_be_used_are_named(tmp_path, config, monkeypatch):
    place = f"sqlite:///{tmp_path}/none/studies.db"
    with pytest.raises(OSError, match=f"^{place}: unable to open"):
        quadgate.tune(config, SPACE, 1, storage=place)
    (tmp_path / "text.h5").write_text("no data")
    with pytest.raises(OSError, match="text.h5: expected an HDF5 file"):
        quadgate.tune(config, SPACE, 1, data=tmp_path / "text.h5")
    path = tmp_path / "train.h5"
    quadgate.save_dataset(path, "classification", (ROWS, LABELS))
    with pytest.raises(ValueError, match=f"^{path}: expected a valid split, .* found train$"):
        quadgate.tune(config, SPACE, 1, data=path)
    with pytest.raises(ImportError, match="^storage: expected MySQLdb to be installed, which 'mysql://a/b'"):
        quadgate.tune(config, SPACE, 1, storage="mysql://a/b")
    with pytest.raises(ImportError, match=r"which 'mysql://u:\*\*\*@h/b' needs$"):
        quadgate.tune(config, SPACE, 1, storage="mysql://u:secret@h/b")
    with pytest.raises(ValueError, match=r"^storage: expected .*, found 'foo://u:\*\*\*@h/b'$"):
        quadgate.tune(config, SPACE, 1, storage="foo://u:secret@h/b")
    for place in ("sqlite://u:secret@h/b", "sqlite://u:secret@h:port/b", "sqlite://", "sqlite:///a.db?timeout=x"):
        with pytest.raises(ValueError, match="^storage: expected a file or a URL as sqlite:(?!.*secret).*$"):
            quadgate.tune(config, SPACE, 1, storage=place)

    def refuse(place):
        raise OperationalError("", {}, OSError("no host"))

    monkeypatch.setattr(optuna.storages, "get_storage", refuse)
    with pytest.raises(OSError, match=r"^mysql://u:\*\*\*@h/b: no host$"):
        _study._storage("mysql://u:secret@h/b")


@pytest.mark.slow
def test_a_database_holds_the_study(tmp_path, config):
    storage = f"sqlite:///{tmp_path / 'studies.db'}"
    whole = tune_into(tmp_path / "whole", config, 6, "random")
    for count in (3, 6):
        result = tune_into(tmp_path / "tuned", config, count, "random", storage=storage, n_jobs=2)
    assert trained(result.study) == trained(whole.study)
    assert not (tmp_path / "tuned/study.log").exists()


def test_a_full_disk_leaves_a_study_that_goes_on(tmp_path):
    path = tmp_path / "study.log"
    journal = Journal(str(path))
    journal.append_logs([{"op": 1}])
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 3, limits[1]))
    try:
        with pytest.raises(OSError):
            journal.append_logs([{"op": 2}])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    journal.append_logs([{"op": 3}])
    with path.open("a") as file:
        file.write('{"op"')  # where the machine stopped
    again = Journal(str(path))
    again.append_logs([{"op": 4}])
    assert list(again.read_logs(0)) == [{"op": 1}, {"op": 3}, {"op": 4}]


@pytest.mark.parametrize(
    "space, arguments, message",
    [
        ({"model.hiden_size": [4]}, {}, "space: unknown key 'model.hiden_size', .* 'model.hidden_size'"),
        ({"train.lr": (0.1, 1)}, {}, "space: train.lr: expected a distribution of Optuna or a list, found tuple"),
        ({"train.lr": 0.1}, {}, "space: train.lr: expected .*, found float"),
        ({"train.lr": []}, {}, "space: train.lr: expected choices, found none"),
        ({"train.betas": [[0.9, 0.99]]}, {}, "space: train.betas: expected numbers, .*, found list"),
        ({"train.monitor": ["loss"]}, {}, "space: train.monitor: expected one for all"),
        ({"train.loss": ["mse", "mae"]}, {}, "space: train.loss: expected another train.monitor"),
        ({}, {}, "space: expected keys"),
        (SPACE, {"sampler": "wolf"}, "sampler: expected one of tpe, random, .*, gwo, found 'wolf'"),
        (SPACE, {"sampler": numpy.array(["tpe", "gp"])}, "sampler: expected one of .*, found array"),
        (SPACE, {"prune": numpy.array([[1], [2]])}, r"prune: expected True or False, found array\(.*\)$"),
        (SPACE, {"progress": numpy.ones(2)}, "progress: expected True or False, found array"),
        (SPACE, {"n_trials": 0}, "n_trials: expected an integer, at least 1, found 0"),
        (SPACE, {"n_trials": 1.5}, "n_trials: expected an integer, at least 1, found 1.5"),
        (SPACE, {"n_jobs": 0}, "n_jobs: expected an integer, at least 1, found 0"),
        ({1: [2]}, {}, "space: expected keys that are text, found 1"),
        (SPACE, {"n_trials": True}, "n_trials: expected an integer, at least 1, found True"),
        (SPACE, {"prune": "no"}, "prune: expected True or False, found 'no'"),
        (SPACE, {"prune": optuna.pruners.HyperbandPruner()}, "prune: expected True or False, found <optuna"),
        (SPACE, {"progress": "no"}, "progress: expected True or False, found 'no'"),
        (SPACE, {"storage": "foo://x"}, "storage: expected a file or a URL as sqlite:.*, found 'foo://x'"),
        (SPACE, {"data": (ROWS, LABELS)}, "data: expected a valid split, which trials go by, found train$"),
        (SPACE, {"seed": -1}, "seed: expected an integer, at least 0, found -1"),
        (SPACE, {"train.monitor": 3}, "train.monitor: expected an error or a score, found 3"),
        (SPACE, {"data": (None, [1])}, "train: expected sequences, found NoneType"),
        (SPACE, {"output": {"dir": None}}, "output.dir: expected a path, found None"),
        (SPACE, {"train.monitor": "coverage_q0.1"}, "train.monitor: expected an error or a score"),
    ],
)  # fmt: skip
def test_says_what_does_not_fit(tmp_path, config, space, arguments, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        quadgate.tune(config, space, **({"n_trials": 1} | arguments))
    assert not (tmp_path / "tuned").exists()


def test_a_missing_package_is_named(monkeypatch, config):
    monkeypatch.setitem(sys.modules, "mealpy", None)
    with pytest.raises(ImportError, match='"gwo": expected mealpy to be installed: pip install "quadgate.gwo."'):
        quadgate.tune(config, SPACE, 1, sampler="gwo")
    monkeypatch.setitem(sys.modules, "cmaes", None)
    with pytest.raises(ImportError, match='"cmaes": expected cmaes to be installed: pip install cmaes$'):
        quadgate.tune(config, SPACE, 1, sampler="cmaes")
    monkeypatch.setitem(sys.modules, "tqdm", None)
    with pytest.raises(ImportError, match='quadgate.tune: progress: expected tqdm .* "quadgate.tune."'):
        quadgate.tune(config, SPACE, 1, progress=True)
