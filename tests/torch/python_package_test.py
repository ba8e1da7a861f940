# Sweeps the models of formats_test.py: quadgate.load's module beside `quadgate predict`, and data sets
# of every task from Python's data, trained and read back. Tolerance: 1e-5 on outputs of the order of 1.

import pathlib
import sys

import h5py
import numpy
import pytest
import torch

from formats_test import MODELS, make, predictions
from support import evaluate, max_difference, quadgate, state_dict, train

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "python"))
import quadgate as package  # noqa: E402


@pytest.mark.parametrize("name", MODELS)
def test_load_gives_the_models_outputs(tmp_path, name):
    checkpoint, data, x, lengths = make(tmp_path, name)
    model = package.load(checkpoint)
    assert not model.training and model.state_dict().keys() == state_dict(checkpoint).keys()
    x = torch.from_numpy(x)
    spoilt = x.clone()
    for row, length in zip(spoilt, lengths):
        row[length:] = 3
    with torch.no_grad():
        outputs, same = (model(a, torch.from_numpy(lengths)) for a in (x, spoilt))
    if outputs.ndim == 3:
        outputs, same = (
            torch.cat([row[:length] for row, length in zip(a, lengths)]) for a in (outputs, same)
        )
    assert torch.equal(outputs, same)
    assert max_difference(outputs, predictions(tmp_path, checkpoint, data)) < 1e-5
    assert model.class_names == ([] if MODELS[name][0] == "regression" else ["ja", "nein", "größer"])


def test_load_names_what_is_no_checkpoint(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w"):
        pass
    with pytest.raises(ValueError, match="a.h5: format: expected quadgate-checkpoint, found None"):
        package.load(tmp_path / "a.h5")
    (tmp_path / "b.h5").write_text("not HDF5")
    with pytest.raises(OSError, match="b.h5: expected an HDF5 file"):
        package.load(tmp_path / "b.h5")


def test_classification_with_names_and_scale(tmp_path):
    rng = numpy.random.default_rng(1)
    rows = [5 + 3 * rng.normal(size=(n, 2)) for n in rng.integers(1, 9, 40)]
    labels = ["up" if row.mean() > 5 else "down" for row in rows]
    package.save_dataset(tmp_path / "a.h5", "classification", (rows[:30], labels[:30]),
                         test=(rows[30:], labels[30:]), standardize=True,
                         feature_names=["a", "b"])  # fmt: skip
    checkpoint = train(tmp_path, tmp_path / "a.h5", {"hidden_size": 8}, {"epochs": 3})
    model = package.load(checkpoint)
    assert model.class_names == ["down", "up"] and model.feature_names == ["a", "b"]
    x = torch.tensor(numpy.stack([rows[30]])).float()
    with torch.no_grad():
        output = model(model.standardize(x))
    assert max_difference(output[0], predictions(tmp_path, checkpoint, tmp_path / "a.h5")[0]) < 1e-5


def test_arrays_of_one_length_and_values(tmp_path):
    x, y = numpy.random.rand(20, 7, 3), numpy.random.rand(20)
    package.save_dataset(tmp_path / "a.h5", "regression", (x, y), test=(x, y))
    checkpoint = train(tmp_path, tmp_path / "a.h5", {"hidden_size": 4}, {"epochs": 1})
    assert evaluate(checkpoint, tmp_path / "a.h5")["mse"] > 0


@pytest.mark.parametrize("kind", ["one length", "lengths", "forecast", "text"])
def test_compressed_data_train_to_the_same_weights(tmp_path, kind):
    x, y = numpy.random.rand(40, 7, 3), numpy.random.rand(40)
    window, names = {}, {}
    model = {"hidden_size": 4}
    if kind == "forecast":
        arguments = ("forecast", numpy.random.rand(100, 2))
        window = {"input_len": 5, "horizon": 2}
    elif kind == "text":
        arguments, names = ("language_model", numpy.arange(500) % 3), {"token_names": list("abc")}
        model["embedding_size"] = 4
    else:
        rows = x if kind == "one length" else [row[: 1 + i % 7] for i, row in enumerate(x)]
        arguments = ("regression", (rows, y))
    found = {}
    for compression in (None, "gzip"):
        data = tmp_path / f"{compression}.h5"
        package.save_dataset(data, *arguments, **names, compression=compression)
        with h5py.File(data) as file:
            assert file["train/x"].compression == compression
        (tmp_path / str(compression)).mkdir()
        checkpoint = train(tmp_path / str(compression), data, model, {"epochs": 1}, **window)
        with h5py.File(checkpoint) as file:
            found[compression] = {k: v[()] for k, v in file["state_dict"].items()}
    assert all((found["gzip"][k] == v).all() for k, v in found[None].items())


def test_tags_of_tokens(tmp_path):
    rows = [numpy.arange(n) % 4 for n in (3, 5, 2)]
    tags = [[("even", "odd")[i % 2] for i in row] for row in rows]
    package.save_dataset(tmp_path / "a.h5", "tagging", (rows, tags), test=(rows, tags),
                         token_names=list("abcd"))  # fmt: skip
    model = {"hidden_size": 8, "embedding_size": 4}
    checkpoint = train(tmp_path, tmp_path / "a.h5", model, {"epochs": 60, "lr": 0.02})
    assert evaluate(checkpoint, tmp_path / "a.h5")["accuracy"] == 1
    assert package.load(checkpoint).token_names == list("abcd")


@pytest.mark.parametrize("frame", [False, True])
def test_a_series_to_forecast(tmp_path, frame):
    series = numpy.random.rand(100, 2)
    if frame:
        pandas = pytest.importorskip("pandas", reason="NOT TESTED: no pandas")
        series = pandas.DataFrame(series, columns=["x", "y"])
    package.save_dataset(tmp_path / "a.h5", "forecast", series, valid_fraction=0.2,
                         test_fraction=0.2, standardize=True)  # fmt: skip
    window = {"input_len": 5, "horizon": 2}
    checkpoint = train(tmp_path, tmp_path / "a.h5", {"hidden_size": 4}, {"epochs": 1}, **window)
    assert evaluate(checkpoint, tmp_path / "a.h5")["mse"] > 0
    assert package.load(checkpoint).feature_names == (["x", "y"] if frame else ["0", "1"])
    assert "rows 60 to 80 of a series of shape [100, 2]" in quadgate("inspect", tmp_path / "a.h5")


def test_text_for_a_language_model(tmp_path):
    package.save_dataset(tmp_path / "a.h5", "language_model", numpy.arange(500) % 3,
                         valid=numpy.arange(90) % 3, token_names=list("abc"))  # fmt: skip
    model = {"hidden_size": 8, "embedding_size": 4}
    checkpoint = train(tmp_path, tmp_path / "a.h5", model, {"epochs": 1, "batch_size": 2})
    assert evaluate(checkpoint, tmp_path / "a.h5", "valid")["perplexity"] > 1


@pytest.mark.parametrize(
    "arguments, message",
    [(("nothing", None), "task: expected one of classification"),
     (("regression", ([[[1.0]]], [1.0, 2.0])), "train: expected 1 targets, one a sequence, found 2"),
     (("tagging", ([[[1.0]]], [[1, 2]])), "train: expected a label for each step"),
     (("forecast", [[[1.0], [2.0]]]), r"train: expected a series \[L, C\], found shape \(1, 2, 1\)")],
)  # fmt: skip
def test_what_does_not_fit_is_named(tmp_path, arguments, message):
    with pytest.raises(ValueError, match=message):
        package.save_dataset(tmp_path / "a.h5", *arguments)


def test_another_compression_is_named(tmp_path):
    with pytest.raises(ValueError, match="compression: expected None or \"gzip\", found 'lzf'"):
        package.save_dataset(tmp_path / "a.h5", "regression", ([[[1.0]]], [1.0]), compression="lzf")


@pytest.mark.parametrize("labels", [
    numpy.array(["a", "b"]), numpy.array([b"a", b"b"]), numpy.array(["a", "b"], object), [b"a", "b"],
])  # fmt: skip
@pytest.mark.parametrize("names", [None, numpy.array(["a", "b"]), [b"a", b"b"]])
def test_names_of_every_kind(tmp_path, labels, names):
    x = numpy.zeros((2, 3, 1))
    package.save_dataset(tmp_path / "a.h5", "classification", (x, labels), class_names=names,
                         feature_names=numpy.array(["f"]))  # fmt: skip
    with h5py.File(tmp_path / "a.h5") as file:
        assert list(file["train/y"]) == [0, 1] and list(file.attrs["class_names"]) == ["a", "b"]
        assert list(file.attrs["feature_names"]) == ["f"]


@pytest.mark.parametrize("labels, message", [
    ([0.5, 1.0], "labels that are integers or names, found float64"),
    (numpy.eye(2), r"a label each, found shape \(2, 2\)"),
    (numpy.array(["a", None], object), "train: labels: expected text, found None"),
    (numpy.array(["a", float("nan")], object), "train: labels: expected text, found nan"),
    ([0, -1], "train: labels: expected from 0 to 1, found -1"),
    ([0, 2], "train: labels: expected from 0 to 1, found 2"),
])  # fmt: skip
def test_labels_that_are_none_are_named_and_the_file_stays(tmp_path, labels, message):
    x = numpy.zeros((2, 3, 1))
    package.save_dataset(tmp_path / "a.h5", "classification", (x, [0, 1]))
    before = (tmp_path / "a.h5").read_bytes()
    with pytest.raises(ValueError, match=message):
        package.save_dataset(tmp_path / "a.h5", "classification", (x, labels), class_names=["a", "b"])
    assert (tmp_path / "a.h5").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["a.h5"]


@pytest.mark.parametrize("tokens, message", [
    ([[0, 1, 3]], "train: tokens: expected from 0 to 2, found 3"),
    ([[0, -1, 1]], "train: tokens: expected from 0 to 2, found -1"),
    ([[0.0, 1.5, 1.0]], "train: expected tokens that are integers, found float64"),
])  # fmt: skip
def test_tokens_that_are_none_are_named(tmp_path, tokens, message):
    with pytest.raises(ValueError, match=message):
        package.save_dataset(tmp_path / "a.h5", "classification", (tokens, [0]),
                             token_names=["a", "b", "c"])  # fmt: skip


def test_labels_that_training_does_not_have(tmp_path):
    with pytest.raises(ValueError, match=r"test: expected labels of the train split, found \['b'\]"):
        package.save_dataset(tmp_path / "a.h5", "classification", ([[[1.0]]], ["a"]),
                             test=([[[1.0]]], ["b"]))  # fmt: skip


@pytest.mark.parametrize("task", ["forecast", "regression"])
def test_a_column_far_from_zero(tmp_path, task):
    rng = numpy.random.default_rng(3)
    rows = numpy.stack([1e7 + 0.1 * rng.normal(size=60), numpy.full(60, 0.1)], 1)
    window = {}
    if task == "forecast":
        package.save_dataset(tmp_path / "a.h5", task, rows, test_fraction=0.25, standardize=True)
        window, known = {"input_len": 5, "horizon": 2}, rows[:45]
    else:
        known, y = rows.reshape(12, 5, 2), numpy.zeros(12)
        package.save_dataset(tmp_path / "a.h5", task, (known, y), standardize=True)
    with h5py.File(tmp_path / "a.h5") as file:
        mean, std, x = file.attrs["mean"], file.attrs["std"], file["train/x"][()].reshape(-1, 2)
        assert file.attrs["format_version"] == 3 and mean.dtype == std.dtype == numpy.float64
    assert abs(mean[0] - known[..., 0].mean()) < 1e-8 and mean[1] == 0.1 and std[1] == 1
    assert abs(std[0] / known[..., 0].std() - 1) < 1e-7
    assert numpy.abs(x * std + mean - rows[: len(x)]).max() < 1e-7
    checkpoint = train(tmp_path, tmp_path / "a.h5", {"hidden_size": 4}, {"epochs": 1}, **window)
    model = package.load(checkpoint)
    assert max_difference(model.standardize(torch.from_numpy(rows[: len(x)])), x) < 1e-6
