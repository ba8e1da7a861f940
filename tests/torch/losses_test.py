# Sweeps every loss with its settings, and every pooling, on ragged sequences: the loss of the last of
# five epochs and the weights after it (20 updates of SGD, so that an error in a gradient shows as it
# is), and what evaluate and predict say of the trained checkpoint. Tolerance: 1e-5 relative on losses, 1e-5
# absolute on weights that moved by 5e-4 at least, as in training_test.py.

import csv
import json
import pathlib
import sys

import h5py
import numpy
import pytest
import torch
from torch.distributions import Normal, StudentT
from torch.nn import BCEWithLogitsLoss, CrossEntropyLoss, HuberLoss, L1Loss, MSELoss
from torch.nn.functional import softplus

from support import (Model, evaluate, max_difference, quadgate, read_split, state_dict, train,
                     write_dataset, write_state_dict)  # fmt: skip

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "python"))
import quadgate as package  # noqa: E402

ROWS, BATCH, EPOCHS, CLASSES = 61, 16, 5, 3

WEIGHTS = [0.5, 2.0, 1.5]
LOSSES = {
    "smoothing": ("classification", {"label_smoothing": 0.2}),
    "weights": ("classification", {"class_weights": WEIGHTS}),
    "ignored": ("classification", {}),
    "ignored_class": ("classification", {"ignore_index": 1}),
    "weighted_tags": (
        "tagging", {"label_smoothing": 0.1, "class_weights": WEIGHTS, "ignore_index": -1}),
    "tags_without_a_class": ("tagging", {"class_weights": [1.0, 0.0, 3.0]}),
    "mse": ("regression", {"loss": "mse"}),
    "mae": ("regression", {"loss": "mae"}),
    "huber": ("regression", {"loss": "huber"}),
    "huber_delta": ("regression", {"loss": "huber", "huber_delta": 0.3}),
    "bce": ("regression", {"loss": "bce"}),
    "pinball": ("regression", {"loss": "pinball", "quantiles": [0.1, 0.5, 0.9]}),
    "gaussian": ("regression", {"loss": "gaussian"}),
    "student_t": ("regression", {"loss": "student_t"}),
}  # fmt: skip
NAMES = {"pinball": ["q0.1", "q0.5", "q0.9"], "gaussian": ["mean", "scale"],
         "student_t": ["mean", "scale", "df"]}  # fmt: skip
POOLINGS = {
    f"{pooling}_{name}": (pooling, sizes)
    for pooling in ("last", "mean", "max")
    for name, sizes in {
        "lstm": {"bidirectional": True},
        "gru": {"cell": "gru", "num_layers": 2},
        "relu": {"cell": "rnn_relu"},
    }.items()
}


def by_target(outputs):
    """[N, outputs] as [N, targets, outputs of a target]."""
    return outputs.reshape(len(outputs), CLASSES, -1)


def distribution(outputs, kind):
    o = by_target(outputs)
    scale = softplus(o[:, :, 1]) + 1e-6
    if kind == "gaussian":
        return Normal(o[:, :, 0], scale)
    return StudentT(2 + softplus(o[:, :, 2]), o[:, :, 0], scale)


def pinball(outputs, targets, quantiles):
    error = targets[:, :, None] - by_target(outputs)
    quantiles = torch.tensor(quantiles)
    return torch.maximum(quantiles * error, (quantiles - 1) * error).mean()


def criterion(settings):
    settings = dict(settings)
    kind = settings.pop("loss", "cross_entropy")
    if kind == "huber":
        return HuberLoss(delta=settings.get("huber_delta", 1.0))
    if kind == "pinball":
        return lambda outputs, targets: pinball(outputs, targets, settings["quantiles"])
    if kind in ("gaussian", "student_t"):
        return lambda outputs, targets: -distribution(outputs, kind).log_prob(targets).mean()
    if kind != "cross_entropy":
        return {"mse": MSELoss, "mae": L1Loss, "bce": BCEWithLogitsLoss}[kind]()
    weights = settings.pop("class_weights", None)
    return CrossEntropyLoss(weight=weights and torch.tensor(weights), **settings)


def make_dataset(path, task, settings):
    rng = numpy.random.default_rng(3)
    splits = {}
    for name in ("train", "test"):
        lengths = rng.integers(1, 13, ROWS)
        sequences = [rng.normal(size=(length, 5)) for length in lengths]
        if task == "regression":
            targets = rng.random(size=(ROWS, CLASSES)).astype("f4")
        else:
            targets = rng.integers(0, CLASSES, lengths.sum() if task == "tagging" else ROWS)
            targets[::5] = settings.get("ignore_index", -100)
        splits[name] = sequences, targets
    names = {} if task == "regression" else {"class_names": ["a", "b", "c"]}
    write_dataset(path, task, splits, **names)


def weight_of(targets, settings):
    """What the mean loss over these targets divides by."""
    if targets.is_floating_point():
        return targets.numel()
    counted = targets[targets != settings.get("ignore_index", -100)]
    return torch.tensor(settings.get("class_weights", [1.0] * CLASSES))[counted].sum().item()


def train_torch(model, task, data, settings, lr):
    """Returns the mean loss over the last epoch."""
    sequences, targets = read_split(data, "train")
    if task == "tagging":
        targets = list(targets.split([len(sequence) for sequence in sequences]))
    optimizer, loss_of = torch.optim.SGD(model.parameters(), lr=lr), criterion(settings)
    for first in [first for _ in range(EPOCHS) for first in range(0, ROWS, BATCH)]:
        if first == 0:
            loss_sum, weight = 0.0, 0.0
        expected = targets[first : first + BATCH]
        expected = torch.cat(expected) if task == "tagging" else expected
        loss = loss_of(model(sequences[first : first + BATCH]), expected)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        loss_sum += loss.item() * weight_of(expected, settings)
        weight += weight_of(expected, settings)
    return loss_sum / weight


def check_training(tmp_path, task, settings, pooling, **sizes):
    """Trains in both programs; returns data set, checkpoint, and PyTorch's model."""
    data, start = tmp_path / "data.h5", tmp_path / "start.h5"
    make_dataset(data, task, settings)
    torch.manual_seed(4)
    outputs = CLASSES * len(NAMES.get(settings.get("loss"), [""]))
    model = Model(5, outputs, hidden_size=20, tagging=task == "tagging", pooling=pooling, **sizes)
    write_state_dict(start, model)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    keys = {"epochs": EPOCHS, "batch_size": BATCH, "shuffle": False, "optimizer": "sgd",
            "lr": 0.1 if settings.get("loss") in NAMES else 0.5}  # fmt: skip
    checkpoint = train(tmp_path, data,
                       {"hidden_size": 20, "init": str(start), "pooling": pooling, **sizes},
                       {**keys, **settings})  # fmt: skip
    loss = train_torch(model, task, data, settings, keys["lr"])
    actual = state_dict(checkpoint)
    for name, tensor in model.state_dict().items():
        assert max_difference(actual[name], tensor) < 1e-5, name
        assert max_difference(before[name], tensor) > 5e-4, f"{name} was hardly trained"
    lines = (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
    assert json.loads(lines[-1])["train_loss"] == pytest.approx(loss, rel=1e-5)
    return data, checkpoint, model


def check_evaluation(data, checkpoint, model, settings):
    """Compares what evaluate says of the test split; returns PyTorch's outputs and the targets."""
    sequences, targets = read_split(data, "test")
    with torch.no_grad():
        outputs = model(sequences)
    metrics = evaluate(checkpoint, data)
    assert metrics["loss"] == pytest.approx(criterion(settings)(outputs, targets).item(), rel=1e-5)
    if targets.is_floating_point():
        values = outputs.sigmoid() if settings.get("loss") == "bce" else outputs
        if settings.get("loss") in NAMES:
            values = by_target(outputs)[:, :, 1 if settings["loss"] == "pinball" else 0]
        for name, expected in {"mse": MSELoss(), "mae": L1Loss()}.items():
            assert metrics[name] == pytest.approx(expected(values, targets).item(), rel=1e-5)
            assert metrics[name + "_raw"] == pytest.approx(metrics[name], rel=1e-6)
    else:
        counted = targets != settings.get("ignore_index", -100)
        right = (outputs.argmax(1) == targets)[counted].double().mean().item()
        assert metrics["accuracy"] == pytest.approx(right, abs=1e-9)
    return outputs, targets


@pytest.mark.parametrize("case", LOSSES)
def test_losses(tmp_path, case):
    task, settings = LOSSES[case]
    data, checkpoint, model = check_training(tmp_path, task, settings, "last")
    check_evaluation(data, checkpoint, model, settings)


@pytest.mark.parametrize("task", ["classification", "regression"])
@pytest.mark.parametrize("case", POOLINGS)
def test_poolings(tmp_path, case, task):
    pooling, sizes = POOLINGS[case]
    settings = {"loss": "mse"} if task == "regression" else {}
    data, checkpoint, model = check_training(tmp_path, task, settings, pooling, **sizes)
    outputs, _ = check_evaluation(data, checkpoint, model, settings)
    quadgate("predict", checkpoint, "--data", data, "-o", tmp_path / "out.h5")
    with h5py.File(tmp_path / "out.h5") as file:
        found = file["values" if task == "regression" else "logits"][()]
    assert max_difference(found, outputs) < 1e-5
    assert f"pooling {pooling}, " in quadgate("inspect", checkpoint)


def test_predictions_of_bce_are_probabilities(tmp_path):
    settings = {"loss": "bce"}
    data, checkpoint, model = check_training(tmp_path, "regression", settings, "last")
    outputs, _ = check_evaluation(data, checkpoint, model, settings)
    quadgate("predict", checkpoint, "--data", data, "-o", tmp_path / "out.h5")
    with h5py.File(tmp_path / "out.h5") as file:
        assert max_difference(file["values"][()], outputs.sigmoid()) < 1e-5


@pytest.mark.parametrize("kind", NAMES)
def test_bands_are_predicted_and_scored(tmp_path, kind):
    settings = LOSSES[kind][1]
    data, checkpoint, model = check_training(tmp_path, "regression", settings, "last")
    outputs, targets = check_evaluation(data, checkpoint, model, settings)
    if kind == "pinball":
        columns = by_target(outputs)
        covered = columns >= targets[:, :, None]
        crps = 2 * pinball(outputs, targets, settings["quantiles"])
    else:
        found = distribution(outputs.double(), kind)
        parts = [found.loc, found.scale] + ([found.df] if kind == "student_t" else [])
        columns = torch.stack(parts, -1)
        if kind == "gaussian":
            probability = found.cdf(targets)
            z = (targets - found.loc) / found.scale
            density = Normal(0.0, 1.0).log_prob(z).exp()
            crps = (found.scale * (z * (2 * probability - 1) + 2 * density - torch.pi**-0.5)).mean()
        else:  # by draws: torch has no cdf of a t
            torch.manual_seed(1)
            draws = found.sample((20000,)).sort(0).values
            probability = (draws < targets).double().mean(0)
            weight = 2 * torch.arange(1, 20001).reshape(-1, 1, 1) - 20001
            crps = ((draws - targets).abs().mean(0)
                    - (weight * draws).sum(0) / 20000**2).mean()  # fmt: skip
        covered = torch.stack([probability <= quantile for quantile in (0.1, 0.5, 0.9)], -1)
    metrics = evaluate(checkpoint, data)
    tolerance = {"rel": 1e-2} if kind == "student_t" else {"rel": 1e-5}
    assert metrics["crps"] == pytest.approx(crps.item(), **tolerance)
    for i, quantile in enumerate((0.1, 0.5, 0.9)):
        share = covered[:, :, i].double().mean().item()
        expected = pytest.approx(share, abs=2e-2 if kind == "student_t" else 1e-9)
        assert metrics[f"coverage_q{quantile}"] == expected

    quadgate("predict", checkpoint, "--data", data, "-o", tmp_path / "out.csv")
    with open(tmp_path / "out.csv") as file:
        header, *rows = csv.reader(file)
    assert header[1:] == [f"{target} {name}" for target in range(CLASSES) for name in NAMES[kind]]
    values = torch.tensor([[float(value) for value in row[1:]] for row in rows])
    assert max_difference(values, columns.reshape(len(values), -1)) < 1e-5
    quadgate("export", checkpoint, "-o", tmp_path / "model.pt")
    quadgate("import", tmp_path / "model.pt", "-o", tmp_path / "back.h5")
    assert evaluate(tmp_path / "back.h5", data) == metrics


def test_bands_of_a_standardized_forecast_are_in_its_units(tmp_path):
    rng = numpy.random.default_rng(5)
    series = 100 + 20 * numpy.cumsum(rng.normal(size=(200, 2)), 0)
    rows = "".join(f"{a},{b}\n" for a, b in series)
    (tmp_path / "series.csv").write_text("a,b\n" + rows)
    data = tmp_path / "data.h5"
    quadgate("prepare", "csv", tmp_path / "series.csv", "--test-fraction", 0.25, "--standardize",
             "-o", data)  # fmt: skip
    with h5py.File(data) as file:
        mean, std = file.attrs["mean"][1], file.attrs["std"][1]
    for kind, names in NAMES.items():
        (tmp_path / kind).mkdir()
        checkpoint = train(tmp_path / kind, data, {"hidden_size": 8, "normalize": "last"},
                           {"epochs": 2, **LOSSES[kind][1]}, input_len=6, horizon=2,
                           targets=["b"])  # fmt: skip
        quadgate("predict", checkpoint, "--data", data, "--split", "test", "-o",
                 tmp_path / kind / "out.h5")  # fmt: skip
        with h5py.File(tmp_path / kind / "out.h5") as file:
            values = file["values"][()]
            assert [*file.attrs["value_names"]] == [
                f"b+{step} {name}" for step in (1, 2) for name in names
            ]
        model = package.load(checkpoint)
        with h5py.File(data) as file:
            x = torch.from_numpy(file["test/x"][()])
            begin, end = int(file["test"].attrs["begin"]), int(file["test"].attrs["end"])
        with torch.no_grad():
            outputs = model(x[begin - 6 : end].unfold(0, 8, 1).mT[:, :6]).double()
        expected = outputs.reshape(len(outputs), 2, -1)
        if kind != "pinball":
            expected[:, :, 1] = softplus(expected[:, :, 1]) + 1e-6
        if kind == "student_t":
            expected[:, :, 2] = 2 + softplus(expected[:, :, 2])
        units = {"scale": (0, std), "df": (0, 1)}
        for i, name in enumerate(names):
            shift, factor = units.get(name, (mean, std))
            found = values.reshape(len(values), 2, -1)[:, :, i]
            assert max_difference((found - shift) / factor, expected[:, :, i]) < 1e-5


def test_targets_that_do_not_count_have_no_name(tmp_path):
    data, checkpoint, _ = check_training(tmp_path, "classification", {}, "last")
    quadgate("predict", checkpoint, "--data", data, "-o", tmp_path / "out.csv")
    with open(tmp_path / "out.csv") as file:
        labels = [row["label"] for row in csv.DictReader(file)]
    _, targets = read_split(data, "test")
    assert labels == ["" if label < 0 else "abc"[label] for label in targets]


def test_targets_out_of_range_are_refused(tmp_path):
    data = tmp_path / "data.h5"
    make_dataset(data, "regression", {})
    with h5py.File(data, "a") as file:
        file["train/y"][30, 1] = 1.5
    with pytest.raises(AssertionError, match="epoch 1, step 2: target: expected 0 to 1 for the "
                       "loss bce, found 1.5"):  # fmt: skip
        train(tmp_path, data, {"hidden_size": 4},
              {"epochs": 1, "loss": "bce", "batch_size": BATCH, "shuffle": False})  # fmt: skip


@pytest.mark.parametrize("task", ["classification", "tagging"])
def test_balanced_weights_are_scikit_learns(tmp_path, task):
    weights = {}
    for name in ["balanced", "numbers"]:
        folder = tmp_path / name
        folder.mkdir()
        make_dataset(folder / "data.h5", task, {})
        _, targets = read_split(folder / "data.h5", "train")
        counts = torch.bincount(targets[targets >= 0], minlength=CLASSES).double()
        numbers = counts.sum() / (CLASSES * counts)
        settings = {"epochs": 2, "batch_size": BATCH, "lr": 0.01}
        settings["class_weights"] = name if name == "balanced" else numbers.tolist()
        weights[name] = state_dict(train(folder, folder / "data.h5", {"hidden_size": 8}, settings))
    line = next(line for line in (tmp_path / "balanced/run/run.toml").read_text().splitlines()
                if line.startswith("class_weights"))  # fmt: skip
    assert json.loads(line.split("=")[1]) == pytest.approx(numbers.tolist(), rel=1e-6)
    for name, tensor in weights["numbers"].items():
        assert max_difference(weights["balanced"][name], tensor) == 0, name
