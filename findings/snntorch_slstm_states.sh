#!/usr/bin/env bash
# snntorch 1.0.0, torch 2.13.0: SLSTM, the spiking LSTM, forgets at every step. It compares the shape of its two states
# with that of its input, [N, input_size], and where these differ, as 784 and 1000 in the example of its documentation,
# puts zeros in their place, be it states of its own (init_hidden=True) or those that the call gave it. So each step is
# the first of a sequence: the outputs are those of an LSTMCell without states, and the gradients of earlier steps and
# of weight_hh are zero. Nothing is said. Where hidden_size is input_size, its states are those of torch's LSTMCell, as
# documented.
# https://snntorch.readthedocs.io/en/latest/snn.neurons_slstm.html
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q snntorch==1.0.0 torch==2.13.0 numpy==2.4.6
cd "$folder"
venv/bin/python -W ignore - <<'PYTHON'
import snntorch
import torch

STEPS, SEQUENCES, INPUTS = 6, 2, 3


def run(layer, x, own):
    """The states mem (h) of all steps."""
    states, outputs = layer.reset_mem(), []
    for x_t in x:
        _, *states = layer(x_t) if own else layer(x_t, *states)
        outputs.append(states[1])
    return torch.stack(outputs)


def cell(layer, x, forgets):
    states, outputs = None, []
    for x_t in x:
        states = layer.lstm_cell(x_t, None if forgets else states)
        outputs.append(states[0])
    return torch.stack(outputs)


for units in (INPUTS, 5):
    for own in (False, True):
        torch.manual_seed(0)
        layer = snntorch.SLSTM(INPUTS, units, threshold=10.0, init_hidden=own, output=own)
        x = torch.randn(STEPS, SEQUENCES, INPUTS, requires_grad=True)
        h = run(layer, x, own)
        off = (h - cell(layer, x, forgets=False)).abs().max().item()
        off_without = (h - cell(layer, x, forgets=True)).abs().max().item()
        h[-1].sum().backward()
        of_steps = [bool(g.any()) for g in x.grad]
        of_weights = bool(layer.lstm_cell.weight_hh.grad.any())
        kind = "own states" if own else "states given"
        print(f"{INPUTS} inputs, {units} units, {kind}: off from cell by {off:.1g}, one without states by", end=" ")
        print(f"{off_without:.1g}, gradient of {sum(of_steps)} of {STEPS} steps, of weight_hh {of_weights}")
        if units == INPUTS:
            assert off < 1e-6 and off_without > 0.05 and all(of_steps) and of_weights
        else:
            assert off > 0.05 and off_without == 0 and of_steps == [False] * (STEPS - 1) + [True] and not of_weights
PYTHON
