# Sweeps LSTM and GRU, one and two layers, tied weights, characters, words and very many words of a text: one epoch of truncated
# backpropagation through time from PyTorch's initial weights, the states carried from piece to piece
# and detached, and the perplexity of another text. Tolerance: 1e-4 absolute on weights as in
# training_test.py, 1e-5 of a loss.

import json
import math
import random

import h5py
import pytest
import torch

from support import (evaluate, max_difference, quadgate, recurrent_layers, state_dict, train,
                     write_state_dict)  # fmt: skip

STREAMS, BPTT, SIZE, HIDDEN = 5, 7, 9, 20


class LanguageModel(torch.nn.Module):
    def __init__(self, vocabulary, cell, num_layers, tied):
        super().__init__()
        size = HIDDEN if tied else SIZE
        self.embedding = torch.nn.Embedding(vocabulary, size, sparse=not tied)
        self.rnn = recurrent_layers(cell, size, HIDDEN, num_layers=num_layers, batch_first=True)
        self.head = torch.nn.Linear(HIDDEN, vocabulary)
        if tied:
            self.embedding.weight = self.head.weight

    def losses(self, text):
        """The mean loss of each piece, on the way through all streams side by side."""
        length = len(text) // STREAMS
        streams = text[: length * STREAMS].long().view(STREAMS, length)
        states = None
        for first in range(0, length - 1, BPTT):
            last = min(first + BPTT, length - 1)
            output, states = self.rnn(self.embedding(streams[:, first:last]), states)
            logits = self.head(output).flatten(0, 1)
            labels = streams[:, first + 1 : last + 1].flatten()
            yield torch.nn.functional.cross_entropy(logits, labels), len(labels)
            states = tuple(s.detach() for s in states) if isinstance(states, tuple) else states.detach()


def make_text(path, words, seed, many=False):
    generator = random.Random(seed)
    vocabulary = ["a", "bé", "see", "樹", "tree,", "go", "x"] + [f"w{i}" for i in range(1400 * many)]
    lines = [" ".join(generator.choices(vocabulary, k=9)) for _ in range(words // 10)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def read_text(data, split):
    with h5py.File(data) as file:
        return torch.from_numpy(file[split]["x"][()]), len(file.attrs["token_names"])


@pytest.mark.parametrize("level", ["characters", "words", "many words"])
@pytest.mark.parametrize(
    "cell, num_layers, tied",
    [("lstm", 1, False), ("lstm", 2, False), ("gru", 1, False), ("lstm", 1, True)],
)
def test_one_epoch_gives_the_same_weights_and_perplexity(tmp_path, level, cell, num_layers, tied):
    data, start = tmp_path / "text.h5", tmp_path / "start.h5"
    many = level == "many words"
    level = level.split()[-1]
    make_text(tmp_path / "train.txt", 5000 if many else 600, 1, many)
    make_text(tmp_path / "test.txt", 200, 2, many)
    quadgate("prepare", "text", tmp_path / "train.txt", "--test", tmp_path / "test.txt",
             "--level", level, "-o", data)  # fmt: skip
    text, vocabulary = read_text(data, "train")
    assert not many or vocabulary > 1000  # classes that a core does not have to itself
    torch.manual_seed(5)
    model = LanguageModel(vocabulary, cell, num_layers, tied)
    write_state_dict(start, model)

    sizes = {"cell": cell, "num_layers": num_layers, "hidden_size": HIDDEN,
             "embedding_size": HIDDEN if tied else SIZE, "tie_weights": tied}  # fmt: skip
    keys = {"epochs": 1, "batch_size": STREAMS, "bptt_len": BPTT, "lr": 0.005}
    checkpoint = train(tmp_path, data, {**sizes, "init": str(start)}, keys)

    first, rest = model.embedding.weight, list(model.parameters())[1:]
    table = torch.optim.Adam if tied else torch.optim.SparseAdam
    descents = [table([first], lr=0.005), torch.optim.Adam(rest, lr=0.005)]
    total, items = 0.0, 0
    for loss, count in model.losses(text):
        model.zero_grad()
        loss.backward()
        for descent in descents:
            descent.step()
        total, items = total + loss.item() * count, items + count
    actual = state_dict(checkpoint)
    for name, tensor in model.state_dict().items():
        assert max_difference(actual[name], tensor) < 1e-4, name
    record = json.loads((tmp_path / "run" / "metrics.jsonl").read_text().splitlines()[-1])
    assert record["train_loss"] == pytest.approx(total / items, rel=1e-5)

    model.load_state_dict(actual)
    with torch.no_grad():
        pieces = [(loss.item(), count) for loss, count in model.losses(read_text(data, "test")[0])]
    loss = sum(loss * count for loss, count in pieces) / sum(count for _, count in pieces)
    metrics = evaluate(checkpoint, data)
    assert metrics["loss"] == pytest.approx(loss, rel=1e-5)
    assert metrics["perplexity"] == pytest.approx(math.exp(loss), rel=1e-4)

    with h5py.File(data) as file:
        names = [str(name) for name in file.attrs["token_names"].astype(str)]
    tokens = read_text(data, "test")[0]
    streams = tokens[: len(tokens) // STREAMS * STREAMS].view(STREAMS, -1).tolist()
    words = {name for name in names if level == "words" and name != "<eos>"}
    lengths = [len(name) if name in words and name != "<unk>" else 1 for name in names]
    characters = sum(
        lengths[token] + (names[token] in words and names[before] in words)
        for stream in streams
        for before, token in zip(stream, stream[1:])
    )
    bits = loss * sum(count for _, count in pieces) / math.log(2)
    assert metrics["bits_per_character"] == pytest.approx(bits / characters, rel=1e-5)
    assert metrics["tokens_per_s"] > 0
