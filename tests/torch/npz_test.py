"""Sweeps: files that NumPy writes, packed or not, for every task and type, as prepare takes them.

No tolerance: numbers are the nearest float32.
"""

import subprocess
import os

import h5py
import numpy
import pytest

from support import quadgate

N, T, I = 30, 7, 3


def prepared(folder, arrays, *options, save=numpy.savez_compressed):
    save(folder / "a.npz", **arrays)
    quadgate("prepare", "npz", folder / "a.npz", "-o", folder / "a.h5", *options)
    return h5py.File(folder / "a.h5")


def numbers(*shape):
    return numpy.random.default_rng(1).normal(size=shape).astype("f4")


@pytest.mark.parametrize("save", [numpy.savez, numpy.savez_compressed])
@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "i1", "u1", "i2", "i4", "i8", "u8", "?"])
def test_classification(tmp_path, save, dtype):
    x = (10 * numbers(N, T, I)).clip(0, 100).astype(dtype)
    y = numpy.arange(N, dtype="i2") % 4
    file = prepared(tmp_path, {"x": x, "y": y}, save=save)
    assert file.attrs["task"] == "classification"
    numpy.testing.assert_array_equal(file["train/x"], x.astype("f4"))
    numpy.testing.assert_array_equal(file["train/y"], y)
    assert list(file.attrs["class_names"]) == ["0", "1", "2", "3"]


@pytest.mark.parametrize("dtype", [">f2", ">f4", ">f8", ">i4", ">u2"])
def test_the_other_byte_order(tmp_path, dtype):
    x = (10 * numbers(N, T, I)).clip(0, 100).astype(dtype)
    file = prepared(tmp_path, {"x": x, "y": (numpy.arange(N) % 4).astype(">i4")})
    numpy.testing.assert_array_equal(file["train/x"], x.astype("f4"))
    numpy.testing.assert_array_equal(file["train/y"], numpy.arange(N) % 4)


@pytest.mark.parametrize("shape", [(N, T, I), (N, T)])
def test_fortrans_order(tmp_path, shape):
    x = numpy.asfortranarray(numbers(*shape))
    y = numpy.asfortranarray(numpy.arange(N * T).reshape(N, T) % 5)
    file = prepared(tmp_path, {"x": x, "y": y, "class_names": numpy.array([b"a", b"bb", b"c", b"d", b"e"])})
    numpy.testing.assert_array_equal(file["train/x"], x.reshape(N, T, -1))
    numpy.testing.assert_array_equal(file["train/y"], y.ravel())
    assert list(file.attrs["class_names"]) == ["a", "bb", "c", "d", "e"]


def test_labels_that_do_not_count(tmp_path):
    y = numpy.arange(N * T).reshape(N, T) % 3
    y[:, 4:] = -100
    file = prepared(tmp_path, {"x": numbers(N, T, I), "y": y})
    numpy.testing.assert_array_equal(file["train/y"], y.ravel())


def test_what_is_not_read_or_may_surprise_is_said(tmp_path):
    command = [os.environ["QUADGATE_BIN"], "prepare", "npz", tmp_path / "a.npz", "-o", tmp_path / "a.h5"]
    x, y = numbers(N, T, I), numbers(N)
    numpy.savez(tmp_path / "a.npz", x_train=x, y_train=y, x_val=x[:3], y_val=y[:3], ids=y)
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0 and "not read: array 'ids'" in done.stderr
    assert "regression" in done.stdout
    with h5py.File(tmp_path / "a.h5") as file:
        numpy.testing.assert_array_equal(file["valid/x"], x[:3])


def test_large_arrays(tmp_path):
    x = numbers(20000, 5, 2)
    y = numpy.arange(20000) % 2
    file = prepared(tmp_path, {"x": x, "y": y}, "--valid-fraction", "0.25", "--gzip")
    parts = numpy.concatenate([file["train/x"], file["valid/x"]])
    assert len(file["valid/x"]) == 5000
    order = numpy.lexsort(parts.reshape(20000, -1).T)
    numpy.testing.assert_array_equal(parts[order], x[numpy.lexsort(x.reshape(20000, -1).T)])


def test_named_labels_and_splits_in_one_file(tmp_path):
    y = numpy.array(["cat", "dog", "äff"])
    arrays = {"feature_names": ["p", "q", "r"]}
    for split, count in (("train", 9), ("valid", 3), ("test", 6)):
        arrays["x_" + split] = numbers(count, T, I)
        arrays["y_" + split] = y[numpy.arange(count) % 3]
    file = prepared(tmp_path, arrays)
    assert list(file.attrs["class_names"]) == ["cat", "dog", "äff"]
    assert list(file.attrs["feature_names"]) == ["p", "q", "r"]
    for split in ("train", "valid", "test"):
        numpy.testing.assert_array_equal(file[split]["x"], arrays["x_" + split])
        numpy.testing.assert_array_equal(file[split]["y"], numpy.arange(len(file[split]["y"])) % 3)


def test_other_files(tmp_path):
    numpy.savez(tmp_path / "b.npz", x=numbers(4, T, I), y=numpy.array([0, 1, 0, 1]))
    file = prepared(tmp_path, {"x": numbers(N, T, I), "y": numpy.arange(N) % 2},
                    "--test", tmp_path / "b.npz")  # fmt: skip
    numpy.testing.assert_array_equal(file["test/x"], numbers(4, T, I))


def test_lengths_and_tags(tmp_path):
    lengths = numpy.arange(1, N + 1)
    offsets = numpy.concatenate([[0], lengths.cumsum()])
    x, y = numbers(offsets[-1], I), numpy.arange(offsets[-1]) % 5
    file = prepared(tmp_path, {"x": x, "y": y, "offsets": offsets, "class_names": list("abcde")})
    assert file.attrs["task"] == "tagging"
    numpy.testing.assert_array_equal(file["train/x"], x)
    numpy.testing.assert_array_equal(file["train/y"], y)
    numpy.testing.assert_array_equal(file["train/offsets"], offsets)
    assert list(file.attrs["class_names"]) == list("abcde")


@pytest.mark.parametrize("outputs", [None, 1, 4])
def test_regression(tmp_path, outputs):
    y = numbers(N) if outputs is None else numbers(N, outputs)
    file = prepared(tmp_path, {"x": numbers(N, T), "y": y}, "--test-fraction", "0.2")
    assert file.attrs["task"] == "regression"
    assert file["train/x"].shape == (24, T, 1)
    pairs = {tuple(x.ravel()): tuple(v) for s in ("train", "test") for x, v in zip(file[s]["x"], file[s]["y"])}
    assert pairs == {tuple(x): tuple(v) for x, v in zip(numbers(N, T), y.reshape(N, -1))}


def test_series(tmp_path):
    x = numbers(100, 2)
    file = prepared(tmp_path, {"x": x}, "--valid-fraction", "0.2")
    assert file.attrs["task"] == "forecast"
    numpy.testing.assert_array_equal(file["train/x"], x)
    assert (file["valid"].attrs["begin"], file["valid"].attrs["end"]) == (80, 100)


@pytest.mark.parametrize(
    ("arrays", "problem"),
    [
        ({"y": numpy.arange(3)}, "array 'x': missing"),
        ({"x": numbers(3), "y": numpy.arange(3)}, "array 'x': expected [n, T, I] or [n, T], found shape [3]"),
        ({"x": numbers(3, 2), "y": numpy.arange(4)}, "array 'y': expected a label each of 3 sequences"),
        ({"x": numbers(3, 2), "y": numpy.arange(3) - 1}, "array 'y': expected labels from 0"),
        ({"x": numbers(3, 2), "y": numbers(2, 3)}, "array 'y': expected [3, O] or [3]"),
        ({"x": numbers(3, 2), "y": numpy.arange(1), "offsets": [0, 2]}, "array 'offsets': expected 3 at its end"),
        ({"x": numpy.array([{}]), "y": numpy.arange(1)}, "array 'x'"),
        ({"x": numbers(3, 2, 2), "y": numpy.arange(3), "feature_names": ["a"]}, "expected 2 names, found 1"),
        ({"x": numpy.full((3, 2), numpy.nan), "y": numpy.arange(3)}, "not finite"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path, arrays, problem):
    numpy.savez(tmp_path / "a.npz", **arrays)
    command = [os.environ["QUADGATE_BIN"], "prepare", "npz", tmp_path / "a.npz", "-o", tmp_path / "a.h5"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert problem in done.stderr and done.stderr.count("\n") == 1
    assert not (tmp_path / "a.h5").exists()
