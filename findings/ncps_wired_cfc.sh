#!/usr/bin/env bash
# ncps 1.0.1, torch 2.13.0: a CfC is given a wiring, as AutoNCP, which says what each neuron listens to. Two weights of
# its cells are masked with it; those of the gate between the two, time_a and time_b, are not, so that all neurons of
# the first layer listen to all inputs. mode="pure", which has no such gate, keeps to the wiring there. Within a layer,
# neurons are all connected in all modes, also next to sensors and motors, where an NCP has no synapses. An LTC of the
# wiring keeps to it. Of both, sensory_synapse_count is synapse_count once more. Each model that a wiring is given to
# adds synapses to it: of three models by one wiring the third has more than twice those of the first. With timespans,
# a batch raises an error, or, of as many sequences as units, each unit takes another sequence's time.
# https://ncps.readthedocs.io; the gate: pull request 55 of the repository, timespans: issues 81 to 83
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q ncps==1.0.1 torch==2.13.0 numpy==2.4.6 packaging==26.0 future==1.0.0
cd "$folder"
venv/bin/python -W ignore - <<'PYTHON'
import numpy
import torch
from ncps.torch import LTC, CfC
from ncps.wirings import AutoNCP

torch.manual_seed(0)
INPUTS, UNITS, OUTPUTS = 5, 28, 4


def listens(model, x, h):
    """Which new state depends on which input and state, [units, inputs] and [units, units]."""
    state = model(x, h)[1][0]
    rows = [torch.autograd.grad(one, (x, h), retain_graph=True) for one in state]
    return tuple(numpy.stack([row[k].numpy().ravel() != 0 for row in rows]) for k in (0, 1))


def ncp():
    return AutoNCP(UNITS, OUTPUTS, sparsity_level=0.7, seed=1)


wiring = ncp()
wiring.build(INPUTS)
sensors, wired = wiring.sensory_adjacency_matrix.T != 0, wiring.adjacency_matrix.T != 0
layers = [wiring.get_neurons_of_layer(layer) for layer in range(wiring.num_layers)]
x, h = torch.randn(1, 1, INPUTS, requires_grad=True), torch.randn(1, UNITS, requires_grad=True)

# An LTC's state is in the order of the wiring's neurons, a CfC's is layer by layer.
model = LTC(INPUTS, ncp(), ode_unfolds=1)
from_inputs, from_states = listens(model, x, h)
assert (from_inputs == sensors).all() and (from_states == wired | numpy.eye(UNITS, dtype=bool)).all()
found = model.rnn_cell.synapse_count, model.sensory_synapse_count, wiring.sensory_synapse_count
print(f"LTC keeps to the wiring; synapses {found[0]}, of sensors {found[1]}, by the wiring {found[2]}")
assert found[0] == found[1] == wired.sum() != found[2] == sensors.sum()

for mode in ("default", "no_gate", "pure"):
    model = CfC(INPUTS, ncp(), mode=mode)
    from_inputs, from_states = listens(model, x, h)
    count, first = len(layers[0]), sensors[layers[0]]
    inputs = from_inputs[:count]
    within, begin = [], 0
    for layer in layers:
        end = begin + len(layer)
        within.append((from_states[begin:end, begin:end].mean(), wired[numpy.ix_(layer, layer)].mean()))
        begin = end
    print(f"CfC, {mode}: the first layer's neurons listen to {inputs.sum()} inputs, wired {first.sum()}; "
          f"within layers {[f'{a:.0%}, wired {b:.0%}' for a, b in within]}")  # fmt: skip
    assert inputs.all() if mode != "pure" else (inputs == first).all()
    assert all(found == 1 for found, _ in within) and within[0][1] == within[2][1] == 0 < within[1][1] < 1
    cell = model.rnn_cell
    assert cell.sensory_synapse_count == cell.synapse_count == wired.sum()

shared = ncp()
synapses = [int(abs(CfC(INPUTS, shared).wiring.adjacency_matrix).sum()) for _ in range(3)]
print(f"three models of one wiring: {synapses} synapses")
assert synapses[0] == wired.sum() and synapses[1] > 1.5 * synapses[0] and synapses[2] > 2 * synapses[0]

x, times = torch.randn(4, 6, INPUTS), 1 + torch.rand(4, 6)
for units in (4, 8):
    model = CfC(INPUTS, units)
    single = torch.cat([model(x[k : k + 1], timespans=times[k : k + 1])[0] for k in range(4)])
    try:
        off = (model(x, timespans=times)[0] - single).abs().max().item()
        print(f"4 sequences with their times, {units} units: off by {off:.2g} from one by one")
        assert units == 4 and off > 0.01
    except RuntimeError as error:
        print(f"4 sequences with their times, {units} units: {error}")
        assert units == 8
    assert torch.allclose(model(x)[0], torch.cat([model(x[k : k + 1])[0] for k in range(4)]), atol=1e-6)
PYTHON
