"""The same model and training in PyTorch: torch_shakespeare.py TEXT.txt [SEED]"""

import pathlib
import sys

import torch

EPOCHS, STREAMS, BPTT, LR = 6, 32, 64, 3e-3


class Model(torch.nn.Module):
    def __init__(self, vocabulary):
        super().__init__()
        self.embedding = torch.nn.Embedding(vocabulary, 64)
        self.rnn = torch.nn.LSTM(64, 256)
        self.head = torch.nn.Linear(256, vocabulary)

    def forward(self, tokens, states):
        output, states = self.rnn(self.embedding(tokens), states)
        return self.head(output), states


def pieces(tokens):
    """Inputs and targets [T, N] of STREAMS streams side by side."""
    length = (len(tokens) - 1) // STREAMS
    x, y = (tokens[i : i + length * STREAMS].view(STREAMS, length).T for i in (0, 1))
    yield from zip(x.split(BPTT), y.split(BPTT))


def loss_of(model, x, y, states):
    logits, states = model(x, states)
    return torch.nn.functional.cross_entropy(logits.flatten(0, 1), y.flatten()), states


def main():
    text = pathlib.Path(sys.argv[1]).read_text(encoding="utf-8")
    cut = len(text) - len(text) // 10
    names = {character: i + 1 for i, character in enumerate(sorted(set(text[:cut])))}
    tokens = torch.tensor([names.get(character, 0) for character in text])
    torch.manual_seed(int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    model = Model(len(names) + 1)
    adam = torch.optim.Adam(model.parameters(), lr=LR)
    for epoch in range(EPOCHS):
        states = None
        for x, y in pieces(tokens[:cut]):
            loss, states = loss_of(model, x, y, states)
            adam.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            adam.step()
            states = tuple(state.detach() for state in states)
        with torch.no_grad():
            states, total, count = None, 0.0, 0
            for x, y in pieces(tokens[cut:]):
                loss, states = loss_of(model, x, y, states)
                total, count = total + loss.item() * y.numel(), count + y.numel()
        print(f"epoch {epoch + 1}: valid loss {total / count:.4f}", flush=True)


main()
