# Sweeps cells, one and two layers and directions, classes per sequence and per step, on Japanese
# Vowels (or synthetic sequences where it is not) of different lengths: a trained checkpoint in
# torch.nn. Tolerance: 1e-5 absolute on logits of about 1, which float sums and two sets of sigmoids
# allow.

import csv
import os
import subprocess

import h5py
import numpy
import pytest
import safetensors.numpy
import torch

from support import (Model, evaluate, max_difference, quadgate, read_split, shared_data,
                     state_dict, train, write_dataset)  # fmt: skip


def synthetic(rng, rows, classes, tagging=False):
    lengths = rng.integers(3, 15, rows)
    sequences = [rng.normal(size=(length, 4)) for length in lengths]
    return sequences, rng.integers(0, classes, lengths.sum() if tagging else rows)


@pytest.fixture(scope="module")
def vowels(tmp_path_factory):
    """A classification data set of sequences of different lengths."""
    path = tmp_path_factory.mktemp("data") / "vowels.h5"
    source = shared_data("JapaneseVowels_TRAIN.ts")
    if source:
        test = shared_data("JapaneseVowels_TEST.ts")
        quadgate("prepare", "ts", source, "--test", test, "--standardize", "-o", path)
    else:
        rng = numpy.random.default_rng(1)
        splits = {"train": synthetic(rng, 60, 3), "test": synthetic(rng, 30, 3)}
        write_dataset(path, "classification", splits, class_names=["a", "b", "c"])
    return path


def check(checkpoint, data, predictions, tagging=False):
    """Compares logits, classes, loss and accuracy of the test split with PyTorch's."""
    sequences, labels = read_split(data, "test")
    weights = state_dict(checkpoint)
    with h5py.File(checkpoint) as file:
        sizes = {name: int(file["model"].attrs[name]) for name in ("hidden_size", "num_layers")}
        bidirectional = bool(file["model"].attrs["bidirectional"])
        cell = file["model"].attrs["cell"]
        if "proj_size" in file["model"].attrs:
            sizes["proj_size"] = int(file["model"].attrs["proj_size"])
    model = Model(sequences[0].shape[1], len(weights["head.bias"]), tagging=tagging, cell=cell,
                  bidirectional=bidirectional, **sizes)  # fmt: skip
    model.load_state_dict(weights)
    with torch.no_grad():
        logits = model(sequences)

    quadgate("predict", checkpoint, "--data", data, "-o", predictions.with_suffix(".h5"))
    with h5py.File(predictions.with_suffix(".h5")) as file:
        assert file["logits"].shape == logits.shape
        assert max_difference(file["logits"][()], logits) < 1e-5
        assert (file["label"][()] == labels.numpy()).all()
        predicted = torch.from_numpy(file["predicted"][()])
    quadgate("predict", checkpoint, "--data", data, "-o", predictions.with_suffix(".csv"))
    with open(predictions.with_suffix(".csv")) as file, h5py.File(data) as source:
        names = [str(name) for name in source.attrs["class_names"].astype(str)]
        rows = list(csv.DictReader(file))
    assert [row["predicted"] for row in rows] == [names[i] for i in predicted]
    probability = torch.tensor([float(row["probability"]) for row in rows])
    assert max_difference(probability, logits.softmax(1).max(1).values) < 1e-5

    metrics = evaluate(checkpoint, data)
    assert metrics["loss"] == pytest.approx(
        torch.nn.functional.cross_entropy(logits, labels).item(), rel=1e-5
    )
    accuracy = (predicted == labels).double().mean().item()
    assert metrics["accuracy"] == pytest.approx(accuracy, abs=1e-9)


@pytest.mark.parametrize("num_layers", [1, 2])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_logits_of_a_trained_classifier(tmp_path, vowels, num_layers, bidirectional):
    model = {"hidden_size": 24, "num_layers": num_layers, "bidirectional": bidirectional}
    settings = {"epochs": 3, "batch_size": 32, "lr": 0.005, "clip_norm": 1.0}
    check(train(tmp_path, vowels, model, settings), vowels, tmp_path / "predictions")


@pytest.mark.parametrize("cell", ["gru", "rnn_tanh", "rnn_relu"])
def test_logits_of_the_other_cells(tmp_path, vowels, cell):
    model = {"cell": cell, "hidden_size": 24, "num_layers": 2, "bidirectional": True}
    settings = {"epochs": 3, "batch_size": 32, "lr": 0.005, "clip_norm": 1.0}
    checkpoint = train(tmp_path, vowels, model, settings)
    assert f"cell {cell}, " in quadgate("inspect", checkpoint)
    check(checkpoint, vowels, tmp_path / "predictions")


def test_logits_of_a_projected_state(tmp_path, vowels):
    model = {"hidden_size": 24, "num_layers": 2, "bidirectional": True, "proj_size": 7}
    settings = {"epochs": 3, "batch_size": 32, "lr": 0.005, "clip_norm": 1.0}
    check(train(tmp_path, vowels, model, settings), vowels, tmp_path / "predictions")


def test_logits_of_a_trained_tagger(tmp_path):
    rng = numpy.random.default_rng(2)
    splits = {
        "train": synthetic(rng, 50, 3, tagging=True),
        "test": synthetic(rng, 20, 3, tagging=True),
    }
    data = tmp_path / "tags.h5"
    write_dataset(data, "tagging", splits, class_names=["x", "y", "z"])
    model = {"hidden_size": 16, "bidirectional": True}
    checkpoint = train(tmp_path, data, model, {"epochs": 3, "lr": 0.01, "batch_size": 7})
    check(checkpoint, data, tmp_path / "predictions", tagging=True)


def test_the_readmes_lines_load_a_checkpoint(tmp_path, vowels):
    checkpoint = train(tmp_path, vowels, {"hidden_size": 8}, {"epochs": 1})
    state = state_dict(checkpoint)
    lstm = torch.nn.LSTM(state["rnn.weight_ih_l0"].shape[1], 8)
    lstm.load_state_dict({k[len("rnn.") :]: v for k, v in state.items() if k.startswith("rnn.")})


def test_outputs_that_are_no_numbers_are_no_answer(tmp_path):
    rng = numpy.random.default_rng(5)
    splits = {"train": synthetic(rng, 20, 3), "test": synthetic(rng, 20, 3)}
    write_dataset(tmp_path / "data.h5", "classification", splits, class_names=["a", "b", "c"])
    checkpoint = train(tmp_path, tmp_path / "data.h5", {"hidden_size": 8}, {"epochs": 1})
    quadgate("export", checkpoint, "-o", tmp_path / "model.safetensors")
    with safetensors.safe_open(tmp_path / "model.safetensors", "np") as file:
        metadata, weights = file.metadata(), {name: file.get_tensor(name) for name in file.keys()}
    for name, values in weights.items():
        sign = rng.choice([-1, 1], values.shape)
        weights[name] = (sign * (3e38 if name == "head.weight" else 100)).astype("float32")
    safetensors.numpy.save_file(weights, tmp_path / "model.safetensors", metadata=metadata)
    quadgate("import", tmp_path / "model.safetensors", "-o", tmp_path / "large.h5")
    for command in (["evaluate"], ["predict", "-o", tmp_path / "out.csv"]):
        command = [os.environ["QUADGATE_BIN"], *command, "--data", tmp_path / "data.h5"]
        done = subprocess.run([*command, tmp_path / "large.h5"], capture_output=True, text=True,
                              timeout=60)  # fmt: skip
        assert done.returncode == 1 and done.stdout == ""
        assert "large.h5: expected finite outputs of the model, found" in done.stderr
        assert done.stderr.count("\n") == 1 and not (tmp_path / "out.csv").exists()
