#!/usr/bin/env bash
# backpack-for-pytorch 1.7.1, torch 2.13.0: the gradients of single sequences (BatchGrad, and what is made of it: norms,
# variances) of an nn.LSTM or nn.RNN that is given initial states, as in truncated backpropagation through time and in
# decoders, are others, without a word: BackPACK runs the layer once more for what is inside its cells, and begins with
# zeros. All four of an LSTM's are off, of an RNN the one of weight_hh; summed over the batch they are not the gradient
# beside them, which torch computes. What else it does not support of the two (several layers, both directions, no
# bias, dropout, projection, time first) it refuses. Without initial states all are right.
# https://docs.backpack.pt/en/master/supported-layers.html
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q backpack-for-pytorch==1.7.1 torch==2.13.0 numpy==2.4.6
cd "$folder"
venv/bin/python -W ignore - <<'PYTHON'
import torch
from backpack import backpack, extend
from backpack.extensions import BatchGrad
from torch import nn

SEQUENCES, STEPS, INPUTS, UNITS = 3, 5, 2, 4
torch.set_default_dtype(torch.double)
torch.manual_seed(0)
x, target = torch.randn(SEQUENCES, STEPS, INPUTS), torch.randn(SEQUENCES, STEPS, 1)
h, c = torch.randn(1, SEQUENCES, UNITS), torch.randn(1, SEQUENCES, UNITS)


def of(states, n):
    """The states of sequence n alone."""
    if isinstance(states, tuple):
        return tuple(s[:, n : n + 1] for s in states)
    return states if states is None else states[:, n : n + 1]


for kind in (nn.LSTM, nn.RNN):
    rnn, head = extend(kind(INPUTS, UNITS, batch_first=True)), extend(nn.Linear(UNITS, 1))
    squares = extend(nn.MSELoss(reduction="sum"))
    for states in (None, (h, c) if kind is nn.LSTM else h):
        right = []
        for n in range(SEQUENCES):
            loss = nn.functional.mse_loss(head(rnn(x[n : n + 1], of(states, n))[0]), target[n : n + 1], reduction="sum")
            right.append(torch.autograd.grad(loss, list(rnn.parameters())))
        rnn.zero_grad()
        loss = squares(head(rnn(x, states)[0]), target)
        with backpack(BatchGrad()):
            loss.backward()
        off = {}
        for (name, weight), *single in zip(rnn.named_parameters(), *right):
            truth = torch.stack(single)
            assert torch.allclose(truth.sum(0), weight.grad)
            off[name] = (weight.grad_batch - truth).abs().max().item()
        print(kind.__name__, "without states" if states is None else "with states", end=": ")
        print(", ".join(f"{name} off by {value:.1g}" for name, value in off.items()))
        if states is None:
            assert max(off.values()) < 1e-12
        else:
            wrong = set(off) if kind is nn.LSTM else {"weight_hh_l0"}
            assert all(value > 0.05 if name in wrong else value < 1e-12 for name, value in off.items())
PYTHON
