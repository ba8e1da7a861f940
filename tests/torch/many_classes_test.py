# Sweeps classes around a vector of 16 and 10,007, which a head takes in blocks, with label smoothing,
# class weights and ignored labels: the loss and the weights after three steps of SGD, beside PyTorch
# in double. Tolerance: that of float sums, 1e-5 relative on losses and 2e-6 absolute on weights, of
# which those of the head moved by 1e-4 at least, unless there is one class, whose gradient is zero.

import json

import numpy
import pytest
import torch

from support import Model, max_difference, read_split, state_dict, train, write_dataset, write_state_dict

ROWS, BATCH, HIDDEN, LR, SMOOTHING, IGNORED = 12, 4, 19, 0.5, 0.1, -1


@pytest.mark.parametrize("classes", [1, 15, 16, 17, 10007])
def test_three_steps_are_those_of_double(tmp_path, classes):
    rng = numpy.random.default_rng(classes)
    data, start = tmp_path / "data.h5", tmp_path / "start.h5"
    lengths = rng.integers(1, 13, ROWS)
    labels = rng.integers(0, classes, lengths.sum())
    labels[::5] = IGNORED
    weights = (0.5 + rng.random(classes)).round(3).tolist()
    splits = {"train": ([rng.normal(size=(length, 5)) for length in lengths], labels)}
    names = numpy.arange(classes).astype("S5")  # of one length: HDF5 attributes have 64 KB
    write_dataset(data, "tagging", splits, class_names=names)
    torch.manual_seed(4)
    model = Model(5, classes, hidden_size=HIDDEN, tagging=True)
    write_state_dict(start, model)
    checkpoint = train(
        tmp_path, data, {"hidden_size": HIDDEN, "init": str(start)},
        {"epochs": 1, "batch_size": BATCH, "shuffle": False, "optimizer": "sgd", "lr": LR,
         "label_smoothing": SMOOTHING, "class_weights": weights, "ignore_index": IGNORED},
    )  # fmt: skip

    sequences, targets = read_split(data, "train")
    targets = targets.split([len(sequence) for sequence in sequences])
    model.double()
    before = model.head.weight.clone(), model.head.bias.clone()
    weight = torch.tensor(weights, dtype=torch.double)
    criterion = torch.nn.CrossEntropyLoss(
        weight, ignore_index=IGNORED, label_smoothing=SMOOTHING, reduction="sum"
    )
    loss_sum, whole = 0.0, 0.0
    for first in range(0, ROWS, BATCH):
        expected = torch.cat(targets[first : first + BATCH])
        outputs = model([sequence.double() for sequence in sequences[first : first + BATCH]])
        counted = weight[expected[expected != IGNORED]].sum()
        loss = criterion(outputs, expected)
        model.zero_grad()
        (loss / counted).backward()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter -= LR * parameter.grad
        loss_sum, whole = loss_sum + loss.item(), whole + counted.item()
    actual = state_dict(checkpoint)
    for name, tensor in model.state_dict().items():
        assert max_difference(actual[name], tensor) < 2e-6, name
    for parameter, old in zip((model.head.weight, model.head.bias), before):
        assert classes == 1 or max_difference(parameter, old) > 1e-4
    record = json.loads((tmp_path / "run" / "metrics.jsonl").read_text().splitlines()[-1])
    assert record["train_loss"] == pytest.approx(loss_sum / whole, rel=1e-5, abs=1e-7)
