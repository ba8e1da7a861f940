# Sweeps five epochs of training on the same batches with every kind of schedule, an optimizer each,
# and the gradients of one to three batches to an update: weights, and the learning rate and
# validation loss of every epoch, against PyTorch's loop with loss / K. Tolerance: 1e-4 absolute on
# weights, as in training_test.py; 1e-5 relative on losses, 1e-9 on learning rates.

import json

import numpy
import pytest
import torch
from torch.optim import SGD, Adam, AdamW, RMSprop, lr_scheduler

from support import Model, max_difference, read_split, state_dict, train, write_dataset, write_state_dict

ROWS, BATCH, EPOCHS = 61, 8, 5  # 8 batches an epoch, of which the last has 5 rows


def make_dataset(path):
    rng = numpy.random.default_rng(3)
    splits = {
        name: ([rng.normal(size=(9, 5)) for _ in range(rows)], rng.integers(0, 3, rows))
        for name, rows in (("train", ROWS), ("valid", 20))
    }
    write_dataset(path, "classification", splits, class_names=["a", "b", "c"])


def warmed(descent, steps):
    return lr_scheduler.LinearLR(descent, 1 / steps, total_iters=steps - 1) if steps else None


def train_torch(model, data, descent, schedule, warmup, accumulate, clip_norm):
    """Returns the learning rate of each epoch's last update, and the validation losses."""
    criterion = torch.nn.CrossEntropyLoss()
    sequences, labels = read_split(data, "train")
    valid_sequences, valid_labels = read_split(data, "valid")
    rates, losses = [], []
    for _ in range(EPOCHS):
        firsts = range(0, ROWS, BATCH)
        for number, first in enumerate(firsts, 1):
            rows = slice(first, first + BATCH)
            (criterion(model(sequences[rows]), labels[rows]) / accumulate).backward()
            if number % accumulate and number < len(firsts):
                continue
            torch.nn.utils.clip_grad_norm_(model.parameters(), clip_norm)
            rate = descent.param_groups[0]["lr"]
            descent.step()
            descent.zero_grad()
            if warmup:
                warmup.step()
            if isinstance(schedule, lr_scheduler.OneCycleLR):
                schedule.step()
        rates.append(rate)
        with torch.no_grad():
            losses.append(criterion(model(valid_sequences), valid_labels).item())
        if isinstance(schedule, lr_scheduler.ReduceLROnPlateau):
            schedule.step(losses[-1])
        elif not isinstance(schedule, lr_scheduler.OneCycleLR):
            schedule.step()
    return rates, losses


# Optimizer and settings; schedule and settings; warm-up steps; batches of an update.
CASES = {
    "step": (SGD, {"lr": 0.5, "momentum": 0.5, "nesterov": True},
             lr_scheduler.StepLR, {"step_size": 2, "gamma": 0.3}, 0, 1),
    "cosine": (RMSprop, {"lr": 0.002, "alpha": 0.9, "eps": 1e-3},
               lr_scheduler.CosineAnnealingLR, {"T_max": EPOCHS, "eta_min": 1e-4}, 3, 2),
    "one_cycle": (AdamW, {"betas": [0.8, 0.95], "eps": 1e-6, "weight_decay": 0.1},
                  lr_scheduler.OneCycleLR, {"max_lr": 0.01, "pct_start": 0.4}, 0, 3),
    "reduce_on_plateau": (RMSprop, {"centered": True, "momentum": 0.3, "eps": 1e-2},
                          lr_scheduler.ReduceLROnPlateau,
                          {"factor": 0.5, "patience": 0, "threshold": 0.3}, 5, 2),
    "defaults": (Adam, {}, lr_scheduler.StepLR, {"step_size": 1}, 0, 1),
    "adamw_defaults": (AdamW, {}, lr_scheduler.StepLR, {"step_size": 4}, 0, 1),
    "rmsprop_defaults": (RMSprop, {}, lr_scheduler.StepLR, {"step_size": 4}, 0, 4),
}  # fmt: skip
KINDS = {
    lr_scheduler.StepLR: "step",
    lr_scheduler.CosineAnnealingLR: "cosine",
    lr_scheduler.OneCycleLR: "one_cycle",
    lr_scheduler.ReduceLROnPlateau: "reduce_on_plateau",
}


@pytest.mark.parametrize("case", CASES)
def test_five_epochs_give_the_same_weights_and_learning_rates(tmp_path, case):
    optimizer, settings, scheduler, arguments, warmup_steps, accumulate = CASES[case]
    data, start = tmp_path / "data.h5", tmp_path / "start.h5"
    make_dataset(data)
    torch.manual_seed(4)
    model = Model(5, 3, hidden_size=20)
    write_state_dict(start, model)

    keys = {"epochs": EPOCHS, "batch_size": BATCH, "shuffle": False, "clip_norm": 0.2, **settings}
    keys["optimizer"] = optimizer.__name__.lower()
    keys["accumulate_steps"] = accumulate
    given = dict(arguments)
    if case == "cosine":
        del given["T_max"]  # the epochs, where it is not given
    keys["schedule"] = {"kind": KINDS[scheduler], "warmup_steps": warmup_steps, **given}
    actual = state_dict(train(tmp_path, data, {"hidden_size": 20, "init": str(start)}, keys))

    descent = optimizer(model.parameters(), **settings)
    if scheduler is lr_scheduler.OneCycleLR:
        arguments = {**arguments, "cycle_momentum": False, "epochs": EPOCHS, "steps_per_epoch": 3}
    schedule = scheduler(descent, **arguments)
    rates, losses = train_torch(
        model, data, descent, schedule, warmed(descent, warmup_steps), accumulate, 0.2
    )
    for name, tensor in model.state_dict().items():
        assert max_difference(actual[name], tensor) < 1e-4, name
    lines = (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
    records = [json.loads(line) for line in lines]
    assert [record["lr"] for record in records] == pytest.approx(rates, rel=1e-9)
    assert [record["valid_loss"] for record in records] == pytest.approx(losses, rel=1e-5)
