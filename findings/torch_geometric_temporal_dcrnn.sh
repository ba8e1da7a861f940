#!/usr/bin/env bash
# torch_geometric_temporal 0.56.2, torch_geometric 2.8.1, torch 2.13.0: DCRNN is a GRU whose products with weights are
# diffusion convolutions, DConv, over a graph with edge weights. These weights only go into the degrees: a node gives
# each neighbour 1 / degree of its value, be the edge's part in that 1 or 99 %, so that two weights may be exchanged
# without a trace. Against the edges, each edge has a factor of another, taken from the list as it was given: the same
# graph with its edges in another order has other outputs. A node that no edge leads to makes its neighbours' outputs
# infinite or NaN. Nothing is said. Of an undirected graph without weights, its edges sorted, all is right.
# The file of the layer is loaded by itself: others of the package import torch_sparse, which has to be compiled.
# https://pytorch-geometric-temporal.readthedocs.io, the paper: https://arxiv.org/abs/1707.01926
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q torch-geometric==2.8.1 torch==2.13.0 numpy==2.4.6
"$folder/venv/bin/pip" install -q --no-deps torch-geometric-temporal==0.56.2
cd "$folder"
venv/bin/python -W ignore - <<'PYTHON'
import importlib.util
import pathlib
import sys
import sysconfig

import torch

path = pathlib.Path(sysconfig.get_path("purelib"), "torch_geometric_temporal/nn/recurrent/dcrnn.py")
spec = importlib.util.spec_from_file_location("dcrnn", path)
dcrnn = sys.modules["dcrnn"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(dcrnn)

torch.set_num_threads(1)
torch.manual_seed(0)
NODES = 5
x = torch.randn(NODES, 3)
conv, cell = dcrnn.DConv(3, 4, K=2), dcrnn.DCRNN(3, 4, K=2)


def by_hand(edges, weights):
    """One step along the edges and one against them, each node's parts adding up to 1."""
    graph = torch.zeros(NODES, NODES)
    graph[edges[0], edges[1]] = weights
    along, against = graph / graph.sum(1, keepdim=True), graph.T / graph.T.sum(1, keepdim=True)
    return sum(x @ one[0] + step.T @ x @ one[1] for one, step in zip(conv.weight, (along, against)))


def off(edges, weights):
    return (conv(x, edges, weights) - by_hand(edges, weights)).abs().max().item()


ring = [(a, (a + 1) % NODES) for a in range(NODES)]
undirected = torch.tensor(sorted(ring + [(b, a) for a, b in ring])).T
ones = torch.ones(2 * NODES)
directed = torch.tensor(sorted(ring + [(0, 2), (1, 4), (3, 0)])).T
weights = torch.rand(directed.shape[1]) + 0.1
mixed = torch.randperm(directed.shape[1])
with torch.no_grad():
    found = off(undirected, ones), off(directed, torch.ones(directed.shape[1])), off(directed, weights)
    print(f"off by, undirected {found[0]:.1g}, directed {found[1]:.2g}, directed and weighted {found[2]:.2g}")
    assert found[0] < 1e-5 < 0.05 < min(found[1:])

    orders = [layer(x, directed, weights) - layer(x, directed[:, mixed], weights[mixed]) for layer in (conv, cell)]
    print(f"edges in another order: DConv differs by {orders[0].abs().max():.2g}, DCRNN {orders[1].abs().max():.2g}")
    assert orders[0].abs().max() > 0.05 and orders[1].abs().max() > 0.005

    # Along the edges alone, of node 0, which has two.
    conv.weight[1] = 0
    assert directed[:, :2].tolist() == [[0, 0], [1, 2]]
    one, other = weights.clone(), weights.clone()
    one[:2], other[:2] = torch.tensor([1.0, 99.0]), torch.tensor([99.0, 1.0])
    same = torch.equal(conv(x, directed, one), conv(x, directed, other))
    change = (by_hand(directed, one) - by_hand(directed, other)).abs().max().item()
    print(f"weights 1 and 99 for 99 and 1: the same {same}, by hand another by {change:.2g}")
    assert same and change > 0.1

    source = torch.tensor([(0, 1), (1, 2), (2, 3), (3, 4), (4, 1)]).T
    y = cell(x, source, torch.ones(5))
    print(f"no edge leads to node 0: outputs of DCRNN that are no numbers {y.isnan().sum().item()} of {y.numel()}")
    assert y.isnan().any()
PYTHON
