"""Sweeps: data sets as h5py's users write them, in every type, byte order and storage, are read as
the plain ones or refused for what they are. Equal: the metrics and weights, to the bit.
"""

import os
import subprocess

import h5py
import numpy
import pytest

from support import quadgate

N, T, I = 8, 5, 3
X = numpy.random.default_rng(1).integers(-50, 50, (N, T, I)).astype("f4")
Y = numpy.arange(N) % 2


def write(path, x=X, y=Y, libver="v108", attribute=None, tokens=0, **storage):
    with h5py.File(path, "w", libver=libver) as file:
        file.attrs.update(format="quadgate-dataset", format_version=1, task="classification")
        if tokens:
            file.attrs["token_names"] = [f"w{i}" for i in range(tokens)]
        file.create_dataset("train/x", data=x, **storage)
        file["train/y"] = y
        if attribute is not None:
            file["train"].attrs["note"] = attribute


def weights(folder, name, data, model=""):
    (folder / "run.toml").write_text(
        f'[data]\npath = "{data}"\n[model]\nhidden_size = 4\n{model}\n'
        f'[train]\nepochs = 1\nbatch_size = 4\n[output]\ndir = "{folder / name}"\n'
    )
    quadgate("train", folder / "run.toml", "--threads", 1, "--quiet")
    with h5py.File(folder / name / "checkpoint.h5") as file:
        return {key: value[()] for key, value in file["state_dict"].items()}


def expect_equal(a, b):
    assert a.keys() == b.keys()
    for key in a:
        numpy.testing.assert_array_equal(a[key], b[key], key)


def refusal(path):
    command = [os.environ["QUADGATE_BIN"], "inspect", path]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr.count("\n") == 1
    return done.stderr


@pytest.mark.parametrize("dtype", ["f2", "f8", ">f4", "i1", "u1", "i2", "i4", ">i4", "i8", "u8"])
def test_features_of_every_type(tmp_path, dtype):
    x = X.astype(dtype) if dtype[0] != "u" else abs(X).astype(dtype)
    write(tmp_path / "plain.h5", x.astype("f4"))
    write(tmp_path / "other.h5", x)
    expect_equal(weights(tmp_path, "a", tmp_path / "plain.h5"),
                 weights(tmp_path, "b", tmp_path / "other.h5"))  # fmt: skip


@pytest.mark.parametrize("dtype", ["i1", "u2", "i4", ">i8"])
def test_labels_and_tokens_of_every_type(tmp_path, dtype):
    x = abs(X[:, :, 0]) % 7
    write(tmp_path / "plain.h5", x.astype("i4"), tokens=7)
    write(tmp_path / "other.h5", x.astype(dtype), Y.astype(dtype), tokens=7)
    model = "embedding_size = 3"
    expect_equal(weights(tmp_path, "a", tmp_path / "plain.h5", model),
                 weights(tmp_path, "b", tmp_path / "other.h5", model))  # fmt: skip


@pytest.mark.parametrize("shuffle", [False, True])
def test_lzf(tmp_path, shuffle):
    x = numpy.repeat(X, 40, axis=1)  # long copies, and runs of what does not repeat
    x[:, ::3] += numpy.random.default_rng(2).normal(size=x[:, ::3].shape)
    write(tmp_path / "plain.h5", x)
    write(tmp_path / "lzf.h5", x, compression="lzf", shuffle=shuffle, chunks=(3, 50, 3))
    expect_equal(weights(tmp_path, "a", tmp_path / "plain.h5"),
                 weights(tmp_path, "b", tmp_path / "lzf.h5"))  # fmt: skip


def test_text_with_blanks_behind(tmp_path):
    write(tmp_path / "plain.h5")
    write(tmp_path / "padded.h5")
    with h5py.File(tmp_path / "padded.h5", "r+") as file:
        text = h5py.h5t.C_S1.copy()
        text.set_size(24)
        text.set_strpad(h5py.h5t.STR_SPACEPAD)
        del file.attrs["format"]
        space = h5py.h5s.create(h5py.h5s.SCALAR)
        attribute = h5py.h5a.create(file.id, b"format", text, space)
        attribute.write(numpy.array(b"quadgate-dataset".ljust(24), "S24"))
    expect_equal(weights(tmp_path, "a", tmp_path / "plain.h5"),
                 weights(tmp_path, "b", tmp_path / "padded.h5"))  # fmt: skip


@pytest.mark.parametrize("libver, attribute, storage", [
    ("latest", None, {"compression": "gzip", "chunks": (4, 5, 3)}),
    ("latest", True, {}),
    ("latest", 1j, {}),
    ("v112", numpy.bool_(True), {}),
])  # fmt: skip
def test_a_newer_format_is_called_so(tmp_path, libver, attribute, storage):
    write(tmp_path / "a.h5", libver=libver, attribute=attribute, **storage)
    message = refusal(tmp_path / "a.h5")
    assert "newer" in message and 'libver="v110"' in message and "damaged" not in message
    write(tmp_path / "a.h5", libver="v110", attribute=attribute, **storage)
    quadgate("inspect", tmp_path / "a.h5")


def test_a_filter_that_is_missing_is_named(tmp_path):
    zstd = 32015
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.attrs.update(format="quadgate-dataset", format_version=1, task="classification")
        creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        creation.set_chunk((4, 5, 3))
        creation.set_filter(zstd, h5py.h5z.FLAG_OPTIONAL, (3,))
        space = h5py.h5s.create_simple(X.shape)
        h5py.h5d.create(file.create_group("train").id, b"x", h5py.h5t.IEEE_F32LE, space, creation)
        file["train/y"] = Y
    message = refusal(tmp_path / "a.h5")
    assert "train/x" in message and str(zstd) in message and "damaged" not in message
