# Sweeps one epoch of training on tokens from PyTorch's initial weights on the same batches: SGD with
# a dense torch.nn.Embedding, Adam with sparse gradients (SparseAdam for the table) and dense ones
# (sparse_embedding = false), tagging and classification, with clipping, accumulated gradients and
# padding_index; and the logits of a trained tagger. Tolerance: 1e-4 absolute on weights as in
# training_test.py, 1e-5 on logits.

import math

import h5py
import numpy
import pytest
import torch

from support import Model, max_difference, quadgate, read_split, state_dict, train, write_state_dict

ROWS, BATCH, VOCABULARY, SIZE = 61, 16, 200, 12


class TokenModel(torch.nn.Module):
    def __init__(self, tagging, sparse=False, padding_index=None, **sizes):
        super().__init__()
        self.embedding = torch.nn.Embedding(
            VOCABULARY, SIZE, padding_idx=padding_index, sparse=sparse
        )
        inner = Model(SIZE, 3, hidden_size=20, tagging=tagging, **sizes)
        self.rnn, self.head = inner.rnn, inner.head
        self.inner = [inner]  # no submodule: its parameters are there already

    def forward(self, sequences):
        return self.inner[0]([self.embedding(sequence) for sequence in sequences])


def make_dataset(path, tagging):
    rng = numpy.random.default_rng(3)
    with h5py.File(path, "w") as file:
        names = [f"w{i}" for i in range(VOCABULARY)]
        file.attrs.update(format="quadgate-dataset", format_version=1, class_names=list("abc"),
                          token_names=names, task="tagging" if tagging else "classification")  # fmt: skip
        for split in ("train", "test"):
            lengths = rng.integers(2, 13, ROWS)
            group = file.create_group(split)
            # Zipf's law: some words in many rows, some in one, some in none.
            group["x"] = (rng.zipf(1.3, lengths.sum()) % VOCABULARY).astype(numpy.int32)
            group["offsets"] = numpy.cumsum([0, *lengths], dtype=numpy.int64)
            group["y"] = rng.integers(0, 3, lengths.sum() if tagging else ROWS)


def clip(parameters, clip_norm):
    """torch.nn.utils.clip_grad_norm_, which does not take sparse gradients."""
    values = [p.grad.coalesce().values() if p.grad.is_sparse else p.grad for p in parameters]
    norm = math.sqrt(sum(value.square().sum().item() for value in values))
    for p in parameters:
        p.grad *= min(1, clip_norm / (norm + 1e-6))


def train_torch(model, tagging, data, descents, clip_norm, accumulate_steps):
    sequences, targets = read_split(data, "train")
    if tagging:
        targets = list(targets.split([len(sequence) for sequence in sequences]))
    for index, first in enumerate(range(0, ROWS, BATCH)):
        expected = targets[first : first + BATCH]
        expected = torch.cat(expected) if tagging else expected
        loss = torch.nn.functional.cross_entropy(model(sequences[first : first + BATCH]), expected)
        (loss / accumulate_steps).backward()
        if (index + 1) % accumulate_steps > 0:
            continue
        if clip_norm:
            clip(list(model.parameters()), clip_norm)
        for descent in descents:
            descent.step()
        model.zero_grad()


CASES = {
    "tagging_sgd_clip": (True, "sgd", {"lr": 0.5}, 0.2, {}),
    "tagging_adam": (True, "adam", {"lr": 0.005}, None, {"num_layers": 2, "bidirectional": True}),
    "tagging_adam_accumulate": (True, "adam", {"lr": 0.005}, 0.2, {"accumulate_steps": 2}),
    "tagging_dense_adam_accumulate": (
        True, "dense adam", {"lr": 0.005}, 0.2, {"accumulate_steps": 2}),
    "classification_adam_clip": (False, "adam", {"lr": 0.005}, 0.2, {"cell": "gru"}),
}


@pytest.mark.parametrize("padding_index", [None, 1])
@pytest.mark.parametrize("case", CASES)
def test_one_epoch_gives_the_same_weights(tmp_path, case, padding_index):
    tagging, optimizer, settings, clip_norm, sizes = CASES[case]
    sizes = dict(sizes)
    accumulate_steps = sizes.pop("accumulate_steps", 1)
    data, start = tmp_path / "data.h5", tmp_path / "start.h5"
    make_dataset(data, tagging)
    torch.manual_seed(4)
    model = TokenModel(tagging, optimizer == "adam", padding_index, **sizes)
    write_state_dict(start, model)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}

    keys = {"epochs": 1, "batch_size": BATCH, "shuffle": False,
            "optimizer": optimizer.removeprefix("dense "), **settings}  # fmt: skip
    if clip_norm:
        keys["clip_norm"] = clip_norm
    if accumulate_steps > 1:
        keys["accumulate_steps"] = accumulate_steps
    sizes = {"embedding_size": SIZE, "hidden_size": 20, "init": str(start), **sizes}
    if padding_index is not None:
        sizes["padding_index"] = padding_index
    if optimizer == "dense adam":
        sizes["sparse_embedding"] = False
    actual = state_dict(train(tmp_path, data, sizes, keys))

    table, rest = model.embedding.weight, list(model.parameters())[1:]
    if optimizer == "sgd":
        descents = [torch.optim.SGD([table, *rest], **settings)]
    elif optimizer == "dense adam":
        descents = [torch.optim.Adam([table, *rest], **settings)]
    else:
        descents = [torch.optim.SparseAdam([table], **settings), torch.optim.Adam(rest, **settings)]
    train_torch(model, tagging, data, descents, clip_norm, accumulate_steps)
    expected = model.state_dict()
    assert list(actual) == sorted(expected)
    for name, tensor in expected.items():
        assert max_difference(actual[name], tensor) < 1e-4, name
        assert max_difference(before[name], tensor) > 1e-3, f"{name} was hardly trained"
    untouched = (expected["embedding.weight"] == before["embedding.weight"]).all(1)
    assert 10 < untouched.sum() < VOCABULARY - 10
    assert (actual["embedding.weight"] == before["embedding.weight"])[untouched].all()


def test_logits_of_a_trained_tagger(tmp_path):
    data = tmp_path / "data.h5"
    make_dataset(data, tagging=True)
    checkpoint = train(tmp_path, data, {"embedding_size": SIZE, "hidden_size": 20}, {"epochs": 3})
    model = TokenModel(tagging=True)
    model.load_state_dict(state_dict(checkpoint))
    sequences, _ = read_split(data, "test")
    quadgate("predict", checkpoint, "--data", data, "-o", tmp_path / "out.h5")
    with torch.no_grad(), h5py.File(tmp_path / "out.h5") as file:
        assert max_difference(file["logits"][()], model(sequences)) < 1e-5
