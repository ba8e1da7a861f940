# Sweeps one epoch of training from PyTorch's initial weights on the same batches: classification
# with Adam and clipping, regression with SGD and momentum, tagging with AdamW, fixed and ragged
# lengths. Tolerance: 1e-4 absolute on weights; Adam turns a gradient that is all rounding (1e-9) into
# a step of up to lr, all else agrees to 1e-6.

import json

import numpy
import pytest
import torch

from support import (Model, max_difference, read_split, state_dict, train, write_dataset,
                     write_state_dict)  # fmt: skip

ROWS, BATCH = 61, 16  # the last batch has 13 rows


def make_dataset(path, task, ragged):
    rng = numpy.random.default_rng(3)
    lengths = rng.integers(2, 13, ROWS) if ragged else numpy.full(ROWS, 9)
    sequences = [rng.normal(size=(length, 5)) for length in lengths]
    if task == "regression":
        write_dataset(path, task, {"train": (sequences, rng.normal(size=(ROWS, 3)).astype("f4"))})
    else:
        items = lengths.sum() if task == "tagging" else ROWS
        targets = rng.integers(0, 3, items)
        write_dataset(path, task, {"train": (sequences, targets)}, class_names=["a", "b", "c"])


def train_torch(model, task, data, optimizer, clip_norm):
    """One epoch; returns the mean loss over it."""
    sequences, targets = read_split(data, "train")
    if task == "tagging":
        targets = list(targets.split([len(sequence) for sequence in sequences]))
    loss_sum, items = 0.0, 0
    criterion = torch.nn.MSELoss() if task == "regression" else torch.nn.CrossEntropyLoss()
    for first in range(0, ROWS, BATCH):
        expected = targets[first : first + BATCH]
        expected = torch.cat(expected) if task == "tagging" else expected
        loss = criterion(model(sequences[first : first + BATCH]), expected)
        optimizer.zero_grad()
        loss.backward()
        if clip_norm:
            torch.nn.utils.clip_grad_norm_(model.parameters(), clip_norm)
        optimizer.step()
        loss_sum += loss.item() * expected.numel()
        items += expected.numel()
    return loss_sum / items


CASES = {
    "classification_adam_clip": (
        "classification", False, torch.optim.Adam, {"lr": 0.005}, 0.2, {}),
    "ragged_classification_adam_clip": (
        "classification", True, torch.optim.Adam, {"lr": 0.005}, 0.2,
        {"num_layers": 2, "bidirectional": True}),
    "regression_sgd_momentum": (
        "regression", False, torch.optim.SGD, {"lr": 0.1, "momentum": 0.9}, None, {}),
    "ragged_regression_sgd_momentum": (
        "regression", True, torch.optim.SGD,
        {"lr": 0.05, "momentum": 0.9, "weight_decay": 0.01}, 1.0, {"bidirectional": True}),
    "ragged_tagging_adamw": (
        "tagging", True, torch.optim.AdamW, {"lr": 0.002, "weight_decay": 0.1}, None,
        {"num_layers": 2}),
    "ragged_tagging_gru_adam_clip": (
        "tagging", True, torch.optim.Adam, {"lr": 0.005}, 0.2,
        {"cell": "gru", "num_layers": 2, "bidirectional": True}),
    "ragged_projection_adam_clip": (
        "classification", True, torch.optim.Adam, {"lr": 0.005}, 0.2,
        {"num_layers": 2, "bidirectional": True, "proj_size": 9}),
    "gru_without_biases": ("classification", False, torch.optim.Adam, {"lr": 0.005}, None,
                           {"cell": "gru", "bias": False}),
    "rnn_tanh_sgd": ("regression", False, torch.optim.SGD, {"lr": 0.1}, None,
                     {"cell": "rnn_tanh"}),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_one_epoch_gives_the_same_weights(tmp_path, case):
    task, ragged, optimizer, settings, clip_norm, sizes = CASES[case]
    data, start = tmp_path / "data.h5", tmp_path / "start.h5"
    make_dataset(data, task, ragged)
    torch.manual_seed(4)
    model = Model(5, 3, hidden_size=20, tagging=task == "tagging", **sizes)
    write_state_dict(start, model)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}

    keys = {"epochs": 1, "batch_size": BATCH, "shuffle": False, **settings}
    keys["optimizer"] = optimizer.__name__.lower()
    if clip_norm:
        keys["clip_norm"] = clip_norm
    actual = state_dict(
        train(tmp_path, data, {"hidden_size": 20, "init": str(start), **sizes}, keys)
    )
    loss = train_torch(model, task, data, optimizer(model.parameters(), **settings), clip_norm)
    expected = model.state_dict()
    assert actual.keys() == expected.keys()
    for name, tensor in expected.items():
        assert max_difference(actual[name], tensor) < 1e-4, name
        assert max_difference(before[name], tensor) > 1e-3, f"{name} was hardly trained"
    lines = (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
    assert json.loads(lines[-1])["train_loss"] == pytest.approx(loss, rel=1e-5)


def test_starts_as_asked(tmp_path):
    data = tmp_path / "data.h5"
    make_dataset(data, "classification", False)
    model = {"hidden_size": 20, "orthogonal": True, "forget_bias": 1.5}
    keys = {"epochs": 1, "batch_size": BATCH, "lr": 0.0}
    weights = state_dict(train(tmp_path, data, model, keys))
    for gate in weights["rnn.weight_hh_l0"].chunk(4):
        assert max_difference(gate.T @ gate, torch.eye(20)) < 1e-5
    biases = weights["rnn.bias_ih_l0"] + weights["rnn.bias_hh_l0"]
    assert (biases[20:40] == 1.5).all()
    assert (biases[:20].abs() < 1).all()
