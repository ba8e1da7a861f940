# Sweeps every loss with its settings, and every pooling, on ragged sequences: the loss of the last of
# five epochs and the weights after it (20 updates of SGD, so that an error in a gradient shows as it
# is), and what evaluate and predict say of the trained checkpoint. Tolerance: 1e-5 relative on losses, 1e-5
# absolute on weights that moved by 5e-4 at least, as in training_test.py.

import csv
import json

import h5py
import numpy
import pytest
import torch
from torch.nn import BCEWithLogitsLoss, CrossEntropyLoss, HuberLoss, L1Loss, MSELoss

from support import (Model, evaluate, max_difference, quadgate, read_split, state_dict, train,
                     write_dataset, write_state_dict)  # fmt: skip

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
}  # fmt: skip
POOLINGS = {
    f"{pooling}_{name}": (pooling, sizes)
    for pooling in ("last", "mean", "max")
    for name, sizes in {
        "lstm": {"bidirectional": True},
        "gru": {"cell": "gru", "num_layers": 2},
        "relu": {"cell": "rnn_relu"},
    }.items()
}


def criterion(settings):
    settings = dict(settings)
    kind = settings.pop("loss", "cross_entropy")
    if kind == "huber":
        return HuberLoss(delta=settings.get("huber_delta", 1.0))
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
    model = Model(5, CLASSES, hidden_size=20, tagging=task == "tagging", pooling=pooling, **sizes)
    write_state_dict(start, model)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    keys = {"epochs": EPOCHS, "batch_size": BATCH, "shuffle": False, "optimizer": "sgd", "lr": 0.5}
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
