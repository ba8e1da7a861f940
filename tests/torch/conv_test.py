# Sweeps two epochs of training with a convolution in front, from PyTorch's initial weights on the
# same batches: ragged classification and tagging, a forecast's windows, tokens with a sparse
# embedding, with and without padding and pooling, each sequence convolved by itself in torch.
# Tolerance: 1e-5 absolute on weights after 8 to 20 updates. Adam has eps = 1e-4, so that a gradient
# that is all rounding (1e-9) makes no step that counts, as it would with 1e-8 (see training_test.py);
# what is left are float sums in another order, 1e-6. 1e-5 on logits, too.

import h5py
import numpy
import pytest
import torch

from support import (Model, max_difference, quadgate, read_split, state_dict, train, write_dataset,
                     write_state_dict)  # fmt: skip

ROWS, BATCH, EPOCHS, FEATURES, VOCABULARY = 61, 16, 2, 5, 60
ADAM = {"lr": 0.005, "eps": 1e-4}


class ConvModel(torch.nn.Module):
    def __init__(self, output_size, channels, kernel_size, padding=0, pool_size=1, tokens=False, **sizes):
        super().__init__()
        if tokens:
            self.embedding = torch.nn.Embedding(VOCABULARY, FEATURES, sparse=True)
        self.conv = torch.nn.Conv1d(FEATURES, channels, kernel_size, padding=padding)
        self.pool = torch.nn.MaxPool1d(pool_size)
        inner = Model(channels, output_size, hidden_size=20, **sizes)
        self.rnn, self.head = inner.rnn, inner.head
        self.inner = [inner]  # no submodule: its parameters are there already

    def front(self, sequence):
        x = self.embedding(sequence) if hasattr(self, "embedding") else sequence
        return self.pool(torch.relu(self.conv(x.T[None])))[0].T

    def forward(self, sequences):
        return self.inner[0]([self.front(sequence) for sequence in sequences])


def train_torch(model, sequences, targets, tagging=False):
    criterion = torch.nn.CrossEntropyLoss() if targets[0].dtype == torch.int64 else torch.nn.MSELoss()
    table = [model.embedding.weight] if hasattr(model, "embedding") else []
    descents = [torch.optim.Adam(list(model.parameters())[len(table) :], **ADAM)]
    descents += [torch.optim.SparseAdam(table, **ADAM)] if table else []
    for _ in range(EPOCHS):
        for first in range(0, len(sequences), BATCH):
            expected = targets[first : first + BATCH]
            expected = torch.cat(expected) if tagging else torch.stack(list(expected))
            loss = criterion(model(sequences[first : first + BATCH]), expected)
            model.zero_grad()
            loss.backward()
            for descent in descents:
                descent.step()


def expect_same_training(folder, data, model, conv, sequences, targets, keys, tagging=False, **window):
    """Trains both from the weights of `model`; returns the program's checkpoint."""
    write_state_dict(folder / "start.h5", model)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    model_keys = {"hidden_size": 20, "init": str(folder / "start.h5"), "conv": conv, **keys}
    settings = {"epochs": EPOCHS, "batch_size": BATCH, "shuffle": False, **ADAM}
    checkpoint = train(folder, data, model_keys, settings, **window)
    train_torch(model, sequences, targets, tagging)
    actual, expected = state_dict(checkpoint), model.state_dict()
    assert list(actual) == sorted(expected)
    for name, tensor in expected.items():
        assert max_difference(actual[name], tensor) < 1e-5, name
        assert max_difference(before[name], tensor) > 1e-3, f"{name} was hardly trained"
    return checkpoint


CASES = {
    "classification": (False, {"channels": 12, "kernel_size": 3}, {}),
    "pooled_classification": (
        False, {"channels": 33, "kernel_size": 4, "padding": 1, "pool_size": 2},
        {"num_layers": 2, "bidirectional": True}),
    "pooled_gru": (
        False, {"channels": 12, "kernel_size": 2, "padding": 1, "pool_size": 3}, {"cell": "gru"}),
    "tagging": (True, {"channels": 12, "kernel_size": 5, "padding": 2}, {"bidirectional": True}),
}  # fmt: skip


def make_dataset(path, tagging, tokens):
    rng = numpy.random.default_rng(3)
    lengths = rng.integers(4, 17, ROWS)
    labels = rng.integers(0, 3, lengths.sum() if tagging else ROWS)
    task = "tagging" if tagging else "classification"
    if not tokens:
        sequences = [rng.normal(size=(length, FEATURES)) for length in lengths]
        splits = {split: (sequences, labels) for split in ("train", "test")}
        write_dataset(path, task, splits, class_names=list("abc"))
        return
    with h5py.File(path, "w") as file:
        names = [f"w{i}" for i in range(VOCABULARY)]
        file.attrs.update(format="quadgate-dataset", format_version=1, task=task,
                          class_names=list("abc"), token_names=names)  # fmt: skip
        for split in ("train", "test"):
            group = file.create_group(split)
            group["x"] = (rng.zipf(1.3, lengths.sum()) % VOCABULARY).astype(numpy.int32)
            group["offsets"] = numpy.cumsum([0, *lengths], dtype=numpy.int64)
            group["y"] = labels


@pytest.mark.parametrize("tokens", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_sequences_of_different_lengths(tmp_path, case, tokens):
    tagging, conv, sizes = CASES[case]
    data = tmp_path / "data.h5"
    make_dataset(data, tagging, tokens)
    sequences, targets = read_split(data, "train")
    if tagging:
        targets = targets.split([len(sequence) for sequence in sequences])
    torch.manual_seed(4)
    model = ConvModel(3, **conv, tokens=tokens, tagging=tagging, **sizes)
    keys = {**sizes, **({"embedding_size": FEATURES} if tokens else {})}
    checkpoint = expect_same_training(tmp_path, data, model, conv, sequences, targets, keys, tagging)

    model.load_state_dict(state_dict(checkpoint))
    quadgate("predict", checkpoint, "--data", data, "-o", tmp_path / "out.h5")
    with torch.no_grad(), h5py.File(tmp_path / "out.h5") as file:
        assert max_difference(file["logits"][()], model(read_split(data, "test")[0])) < 1e-5


@pytest.mark.parametrize("pool_size", [1, 2])
def test_windows_of_a_forecast(tmp_path, pool_size):
    rng = numpy.random.default_rng(5)
    series = rng.normal(size=(175, FEATURES)).cumsum(0)
    names = ",".join(f"c{i}" for i in range(FEATURES))
    numpy.savetxt(tmp_path / "series.csv", series, delimiter=",", header=names, comments="")
    data = tmp_path / "series.h5"
    quadgate("prepare", "csv", tmp_path / "series.csv", "--standardize", "-o", data)
    with h5py.File(data) as file:
        scaled = torch.from_numpy(file["train/x"][()])
    starts = range(len(scaled) - 24 - 3 + 1)
    sequences = [scaled[start : start + 24] for start in starts]
    targets = [scaled[start + 24 : start + 27].flatten() for start in starts]
    conv = {"channels": 12, "kernel_size": 3, "padding": 1, "pool_size": pool_size}
    torch.manual_seed(4)
    model = ConvModel(3 * FEATURES, **conv)
    expect_same_training(tmp_path, data, model, conv, sequences, targets, {}, input_len=24, horizon=3)
