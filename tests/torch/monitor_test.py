"""`[train] monitor`: the epoch whose model is best.h5, and where training stops, by every number that evaluate
tells, each in its own direction, which this file knows by itself. The values of epochs are compared with what
evaluate tells of the chosen model, and F1, balanced accuracy and ROC areas with scikit-learn. On two ranks and
after a stop the epochs have the same values, to the bit. Tolerance: 1e-6; of float32 outputs in other batches."""

import json
import os
import re
import shutil
import subprocess

import h5py
import numpy
import pytest

from support import evaluate, quadgate, train, write_dataset

EPOCHS = 7
LOW, HIGH = min, max


def sequences(rng, rows, tagging):
    x = [rng.normal(size=(length, 3)) for length in rng.integers(2, 9, rows)]
    steps = sum(map(len, x)) if tagging else rows
    signal = numpy.concatenate([s[:, 0] for s in x]) if tagging else numpy.array([s[-1, 0] for s in x])
    return x, numpy.digitize(signal + rng.normal(size=steps), [-0.5, 0.7]).astype(numpy.int64)


def classes_data(path, tagging, **names):
    rng = numpy.random.default_rng(4)
    splits = {name: sequences(rng, 60, tagging) for name in ("train", "valid")}
    write_dataset(path, "tagging" if tagging else "classification", splits, **names)


def forecast_data(folder, targets):
    rng = numpy.random.default_rng(7)
    columns = [f"c{i}" for i in range(targets)]
    values = numpy.sin(numpy.arange(160)[:, None] / 2) * 3 + rng.normal(size=(160, targets)) + 20
    lines = [",".join(columns), *(",".join(map(str, row)) for row in values)]
    (folder / "series.csv").write_text("\n".join(lines) + "\n")
    quadgate("prepare", "csv", folder / "series.csv", "--valid-fraction", 0.3, "--standardize",
             "-o", folder / "data.h5")  # fmt: skip


def text_data(folder):
    rng = numpy.random.default_rng(2)
    words = "".join("ab cdé"[i] for i in rng.integers(0, 6, 1500))
    (folder / "text.txt").write_text(words)
    quadgate("prepare", "text", folder / "text.txt", "--valid-fraction", 0.3, "-o", folder / "data.h5")


MODELS = {
    "classes": (lambda f: classes_data(f / "data.h5", False, class_names=["a", "b", "c"]), {}, {}),
    "tags": (lambda f: classes_data(f / "data.h5", True, class_names=["O", "B-X", "I-X"]), {}, {}),
    "crf": (lambda f: classes_data(f / "data.h5", True, class_names=["O", "B-X", "I-X"]),
            {"crf": True}, {}),
    "forecast": (lambda f: forecast_data(f, 1), {}, {}),
    "targets": (lambda f: forecast_data(f, 2), {}, {}),
    "pinball": (lambda f: forecast_data(f, 1), {}, {"loss": "pinball", "quantiles": [0.2, 0.5]}),
    "student": (lambda f: forecast_data(f, 1), {}, {"loss": "student_t"}),
    "text": (text_data, {"embedding_size": 4}, {"bptt_len": 10}),
}  # fmt: skip
SETTINGS = {"epochs": EPOCHS, "batch_size": 8, "lr": 0.05}
WINDOW = {"input_len": 12, "horizon": 2}


def distance(level):
    return lambda values: min(values, key=lambda value: abs(value - level))


CASES = {
    "classes": {"loss": LOW, "accuracy": HIGH, "f1_macro": HIGH, "roc_auc": HIGH,
                "balanced_accuracy": HIGH},
    "tags": {"entity_f1": HIGH, "recall_macro": HIGH},
    "crf": {"f1_macro": HIGH, "entity_precision": HIGH, "loss": LOW},
    "forecast": {"mae": LOW, "mse_raw": LOW, "mase": LOW, "smape": LOW, "r2": HIGH, "skill": HIGH},
    "targets": {"mase": LOW, "skill": HIGH},
    "pinball": {"crps": LOW, "coverage_q0.2": distance(0.2)},
    "student": {"crps": LOW, "coverage_q0.9": distance(0.9)},
    "text": {"perplexity": LOW, "bits_per_character": LOW, "accuracy": HIGH},
}  # fmt: skip


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    made = {}

    def of(kind):
        if kind not in made:
            made[kind] = tmp_path_factory.mktemp(kind)
            MODELS[kind][0](made[kind])
        return made[kind] / "data.h5"

    return of


def run_of(folder, data, kind, **settings):
    _, model, more = MODELS[kind]
    is_forecast = kind in ("forecast", "targets", "pinball", "student")
    train(folder, data, {"hidden_size": 6, **model}, {**SETTINGS, **more, **settings},
          **(WINDOW if is_forecast else {}))  # fmt: skip
    return folder / "run"


def values_of(run, monitor):
    lines = (run / "metrics.jsonl").read_text().splitlines()
    return [json.loads(line)[f"valid_{monitor}"] for line in lines]


def scikit_learns(run, data, monitor):
    metrics = pytest.importorskip("sklearn.metrics")
    quadgate("predict", run / "best.h5", "--data", data, "--split", "valid", "-o", run / "out.h5")
    with h5py.File(run / "out.h5") as file:
        labels, predicted = file["label"][()], file["predicted"][()]
        logits = file["logits"][()].astype(float)
    shares = numpy.exp(logits) / numpy.exp(logits).sum(1, keepdims=True)
    return {
        "accuracy": lambda: metrics.accuracy_score(labels, predicted),
        "f1_macro": lambda: metrics.f1_score(labels, predicted, average="macro"),
        "f1_weighted": lambda: metrics.f1_score(labels, predicted, average="weighted"),
        "recall_macro": lambda: metrics.recall_score(labels, predicted, average="macro"),
        "precision_macro": lambda: metrics.precision_score(labels, predicted, average="macro"),
        "balanced_accuracy": lambda: metrics.balanced_accuracy_score(labels, predicted),
        "roc_auc": lambda: metrics.roc_auc_score(labels, shares, multi_class="ovr"),
    }[monitor]()


@pytest.mark.parametrize("kind, monitor", [(k, m) for k, case in CASES.items() for m in case])
def test_it_chooses_the_best_model(tmp_path, data, kind, monitor):
    run = run_of(tmp_path, data(kind), kind, monitor=monitor)
    values = values_of(run, monitor)
    assert len(values) == EPOCHS and len(set(values)) > 1
    best = CASES[kind][monitor](values)
    epoch = int(re.search(r"the best of its run, of epoch (\d+)", quadgate("inspect", run / "best.h5"))[1])
    assert values[epoch - 1] == best
    assert evaluate(run / "best.h5", data(kind), "valid")[monitor] == pytest.approx(best, rel=1e-6)
    if kind in ("classes", "tags") and monitor not in ("loss", "entity_f1"):
        assert scikit_learns(run, data(kind), monitor) == pytest.approx(best, abs=1e-6)


@pytest.mark.parametrize("kind, monitor", [("classes", "f1_macro"), ("forecast", "skill")])
def test_training_stops_by_it(tmp_path, data, kind, monitor):
    settings = {"epochs": 80, "early_stopping_patience": 3, "monitor": monitor}
    values = values_of(run_of(tmp_path, data(kind), kind, **settings), monitor)
    assert len(values) < 80
    assert numpy.argmax(values) == len(values) - 4
    for end in range(4, len(values)):
        assert numpy.argmax(values[:end]) > end - 4  # not before


@pytest.mark.parametrize("kind, monitor", [("tags", "f1_macro"), ("forecast", "mase"),
                                           ("text", "bits_per_character"), ("targets", "smape")])  # fmt: skip
def test_a_stopped_run_goes_on_by_it(tmp_path, data, kind, monitor):
    whole = run_of(tmp_path, data(kind), kind, monitor=monitor)
    (tmp_path / "other").mkdir()
    run = run_of(tmp_path / "other", data(kind), kind, monitor=monitor, epochs=3)
    quadgate("train", tmp_path / "other" / "run.toml", "--resume", "--set", f"train.epochs={EPOCHS}",
             "--quiet")  # fmt: skip
    assert values_of(run, monitor) == values_of(whole, monitor)
    with h5py.File(run / "best.h5") as ours, h5py.File(whole / "best.h5") as theirs:
        for name, values in theirs["state_dict"].items():
            assert (ours["state_dict"][name][()] == values[()]).all()
    command = [os.environ["QUADGATE_BIN"], "train", tmp_path / "other" / "run.toml", "--resume",
               "--set", "train.monitor=loss", "--set", "train.epochs=20"]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert f'train.monitor: expected "{monitor}" as in the run to resume, found "loss"' in done.stderr


@pytest.mark.parametrize("mpirun, kind, monitor", [
    ("mpirun.openmpi", "crf", "f1_macro"), ("mpirun.openmpi", "text", "bits_per_character"),
    ("mpirun.mpich", "forecast", "mase"),
])  # fmt: skip
def test_ranks_go_by_it_together(tmp_path, data, mpirun, kind, monitor):
    if not shutil.which(mpirun):
        pytest.skip(f"no {mpirun}")
    settings = {"monitor": monitor, "grad_shards": 2, "early_stopping_patience": 2}
    alone = run_of(tmp_path, data(kind), kind, **settings)
    run = tmp_path / "ranks"
    options = ["--oversubscribe", "--bind-to", "none"] if mpirun == "mpirun.openmpi" else []
    root = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    command = [mpirun, *options, "-n", "2", os.environ["QUADGATE_BIN"], "train", tmp_path / "run.toml",
               "--threads", "1", "--quiet", "--set", f"output.dir={run}"]  # fmt: skip
    done = subprocess.run(command, env={**os.environ, **root}, capture_output=True, text=True, timeout=120)
    if done.returncode != 0 and "libquadgate_mpi" in done.stderr:
        pytest.skip("built without it")
    assert done.returncode == 0, done.stderr
    assert values_of(run, monitor) == values_of(alone, monitor)
    with h5py.File(run / "best.h5") as ours, h5py.File(alone / "best.h5") as theirs:
        for name, values in theirs["state_dict"].items():
            assert (ours["state_dict"][name][()] == values[()]).all()


@pytest.mark.parametrize("kind, monitor, known", [
    ("classes", "entity_f1", "loss, accuracy, balanced_accuracy, precision_macro, recall_macro, f1_macro, "
     "precision_weighted, recall_weighted, f1_weighted, roc_auc"),
    ("targets", "mse_raw", "loss, mse, mae, mase, smape, r2, skill"),
    ("student", "crp", "loss, mse, mae, mse_raw, mae_raw, mase, smape, r2, skill, crps, coverage_q0.1, "
     "coverage_q0.5, coverage_q0.9"),
    ("text", "f1_macro", "loss, accuracy, perplexity, bits_per_character"),
])  # fmt: skip
def test_other_names_are_refused_before_anything_is_written(tmp_path, data, kind, monitor, known):
    with pytest.raises(AssertionError) as refused:
        run_of(tmp_path, data(kind), kind, monitor=monitor)
    assert refused.match(f"train.monitor: expected one of {known}, found '{monitor}'\n")
    assert not (tmp_path / "run").exists()


def test_it_is_of_a_valid_split(tmp_path):
    rng = numpy.random.default_rng(4)
    write_dataset(tmp_path / "data.h5", "classification", {"train": sequences(rng, 30, False)})
    with pytest.raises(AssertionError, match="train.monitor: expected only with a valid split in .*, "
                       "found f1_macro"):  # fmt: skip
        run_of(tmp_path, tmp_path / "data.h5", "classes", monitor="f1_macro")
