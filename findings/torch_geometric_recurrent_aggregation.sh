#!/usr/bin/env bash
# torch_geometric 2.8.1, torch 2.13.0: LSTMAggregation and GRUAggregation take the messages of each node as a sequence,
# and give what the layer puts out last. The sequences stand in one array, padded with zeros to the longest, and the
# last step is that of the array: a node with fewer messages than another gets the output behind zeros that nobody
# sent. So what a node is depends on how many neighbours other nodes have: in a batch of graphs, on the graphs beside
# its own. In evaluation, SAGEConv(aggr="lstm") gives a graph other values alone than in a batch. Nodes with the most
# messages are right. The documentation names sorted indices as the one condition, which holds here.
# https://pytorch-geometric.readthedocs.io/en/latest/generated/torch_geometric.nn.aggr.LSTMAggregation.html
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q torch_geometric==2.8.1 torch==2.13.0 numpy==2.4.6
cd "$folder"
venv/bin/python -W ignore - <<'PYTHON'
import torch
from torch_geometric.data import Batch, Data
from torch_geometric.nn import SAGEConv
from torch_geometric.nn.aggr import GRUAggregation, LSTMAggregation

torch.manual_seed(0)
torch.set_grad_enabled(False)
messages = torch.randn(7, 3)
receiver = torch.tensor([0, 0, 1, 1, 1, 1, 1])  # node 0 gets two, node 1 five
for kind in (LSTMAggregation, GRUAggregation):
    layer = kind(3, 4)
    recurrent = layer.lstm if kind is LSTMAggregation else layer.gru
    got = layer(messages, receiver)
    right = torch.stack([recurrent(messages[receiver == node])[0][-1] for node in (0, 1)])
    padded = recurrent(torch.cat([messages[:2], torch.zeros(3, 3)]))[0][-1]
    alone = layer(messages[:2], receiver[:2])[0]
    off = (got - right).abs().max(dim=1).values.tolist()
    print(f"{kind.__name__}: node of 2 messages off by {off[0]:.2f}, of 5 messages by {off[1]:.1g}")
    assert off[0] > 0.05 and off[1] < 1e-6
    assert torch.allclose(got[0], padded, atol=1e-6) and torch.allclose(alone, right[0], atol=1e-6)


def star(leaves):
    """A graph whose leaves all point at node 0."""
    edges = torch.stack([torch.arange(1, leaves + 1), torch.zeros(leaves, dtype=torch.long)])
    return Data(x=torch.randn(leaves + 1, 3), edge_index=edges)


graph = star(2)
for aggregation in ("mean", "lstm"):
    layer = SAGEConv(3, 4, aggr=aggregation).eval()
    alone = layer(graph.x, graph.edge_index)
    for leaves in (2, 20):
        both = Batch.from_data_list([graph, star(leaves)])
        assert (both.edge_index[1].diff() >= 0).all()
        beside = layer(both.x, both.edge_index)[:3]
        off = (beside - alone).abs().max().item()
        print(f"SAGEConv {aggregation}: the same graph in a batch with one of {leaves} neighbours is off by {off:.1g}")
        assert off > 0.02 if aggregation == "lstm" and leaves == 20 else off < 1e-6
PYTHON
