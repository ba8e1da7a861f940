#!/usr/bin/env python
"""Writes embedding.h5 beside this file, with PyTorch 2.13 on the CPU: ten training steps on tokens.

Run it again only for a newer PyTorch; the file is committed. Usage: make_embedding.py
"""

import math

import h5py
import numpy
import torch
from make_golden import HERE, Model, write, write_weights

VOCABULARY, EMBEDDING_SIZE, HIDDEN_SIZE, CLASSES = 40, 7, 5, 4
LENGTHS = [4, 1, 6, 3, 5, 2, 6, 1, 2, 5]
PADDING_INDEX = 3


class TokenModel(torch.nn.Module):
    def __init__(self, sparse, padding_index, tied, task, cell, **sizes):
        super().__init__()
        size, classes = (HIDDEN_SIZE, VOCABULARY) if tied else (EMBEDDING_SIZE, CLASSES)
        self.embedding = torch.nn.Embedding(
            VOCABULARY, size, padding_idx=padding_index, sparse=sparse
        )
        inner = Model(task, cell, size, HIDDEN_SIZE, classes, **sizes)
        self.rnn, self.head = inner.rnn, inner.head
        if tied:
            self.embedding.weight = self.head.weight
        self.inner = [inner]  # no submodule: its parameters are there already

    def forward(self, sequences):
        return self.inner[0]([self.embedding(sequence) for sequence in sequences])


def values(gradient):
    return gradient.coalesce().values() if gradient.is_sparse else gradient


def clip(parameters, clip_norm):
    """torch.nn.utils.clip_grad_norm_, which does not take sparse gradients."""
    norm = math.sqrt(sum(values(p.grad).square().sum().item() for p in parameters))
    for p in parameters:
        p.grad *= min(1, clip_norm / (norm + 1e-6))
    return norm


def run(file, name, optimizer, settings, sparse=False, padding_index=None, clip_norm=0.0,
        tied=False, task="tagging", cell="lstm", **sizes):  # fmt: skip
    """Ten steps on two batches in turn: rows 0..5 and 6..9, each with words that the other lacks."""
    model = TokenModel(sparse, padding_index, tied, task, cell, **sizes)
    words = [torch.randint(0, 25, (length,)) for length in LENGTHS[:6]]
    words += [torch.randint(15, VOCABULARY, (length,)) for length in LENGTHS[6:]]
    words[0][:2] = words[6][0] = PADDING_INDEX
    items = [length if task == "tagging" else 1 for length in LENGTHS]
    labels = [torch.randint(model.head.out_features, (count,)) for count in items]

    group = file.create_group(name)
    group.attrs.update(task=task, cell=cell, optimizer=optimizer.__name__.lower(), **settings)
    group.attrs["num_layers"] = model.rnn.num_layers
    group.attrs["tied"] = int(tied)
    group.attrs["bidirectional"] = int(model.rnn.bidirectional)
    if clip_norm:
        group.attrs["clip_norm"] = clip_norm
    if padding_index is not None:
        group.attrs["padding_index"] = padding_index
    write(group, tokens=torch.cat(words).to(torch.int32), labels=torch.cat(labels),
          lengths=numpy.array(LENGTHS, numpy.int64))  # fmt: skip
    write_weights(group.create_group("start"), model)

    table, rest = model.embedding.weight, list(model.parameters())[1:]
    descents = [optimizer([table, *rest], **settings)]
    if sparse:
        descents = [torch.optim.SparseAdam([table], **settings), optimizer(rest, **settings)]
    losses, norms = [], []
    for step in range(10):
        rows = slice(0, 6) if step % 2 == 0 else slice(6, 10)
        loss = torch.nn.functional.cross_entropy(model(words[rows]), torch.cat(labels[rows]))
        model.zero_grad()
        loss.backward()
        if step < 2:
            gradient = table.grad.to_dense() if sparse else table.grad
            write(group, **{f"gradient{step}": gradient.clone()})
        norms.append(clip([table, *rest], clip_norm or math.inf))
        for descent in descents:
            descent.step()
        losses.append(loss.item())
    write(group, losses=numpy.array(losses, numpy.float32), norms=numpy.array(norms, numpy.float32))
    write_weights(group.create_group("end"), model)


def main():
    torch.manual_seed(1)
    torch.set_num_threads(1)
    adam, sgd = torch.optim.Adam, torch.optim.SGD
    with h5py.File(HERE / "embedding.h5", "w", libver="latest") as file:
        file.attrs["torch"] = str(torch.__version__)
        run(file, "tagging_sgd", sgd, {"lr": 0.5}, clip_norm=0.1, padding_index=PADDING_INDEX)
        run(file, "tagging_adam", adam, {"lr": 0.02}, sparse=True, clip_norm=0.1,
            padding_index=PADDING_INDEX, num_layers=2, bidirectional=True)  # fmt: skip
        run(file, "classification_adam", adam, {"lr": 0.02, "eps": 1e-3}, sparse=True,
            task="classification", cell="gru", bidirectional=True)  # fmt: skip
        run(file, "tied_adam", adam, {"lr": 0.02}, clip_norm=0.1, tied=True)
        run(file, "tied_padding_sgd", sgd, {"lr": 0.5}, padding_index=PADDING_INDEX, tied=True)


if __name__ == "__main__":
    main()
