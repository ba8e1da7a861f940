#!/usr/bin/env bash
# pomegranate 1.1.2, torch 2.13.0: ends of a hidden Markov model are optional, "uniform" if not given. DenseHMM ends in
# each of its k states with probability 1 / k then, on top of edges that add up to 1: the probabilities of all sequences
# of a length add up to 1 / k. The first step of fit makes both one distribution, so that the likelihood falls by what
# was too much; fit takes that for convergence, and ends: 20 sequences of 100 steps train one step, and two states at 0
# and 3 are learned as 0.3 and 1.6. With ends=[0.05, 0.05] and edges that leave room for them it is 14 steps, to 0.0 and
# 3.1. Without starts and edges, too, it is the same. A SparseHMM without ends never ends: all sequences have
# probability 0. Nothing is said. predict_proba of a DenseHMM is right.
# https://pomegranate.readthedocs.io/en/latest/api.html; of mixtures that get worse and stop: issue 1145
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q pomegranate==1.1.2 torch==2.13.0 numpy==2.4.6 scipy==1.17.1
cd "$folder"
venv/bin/python -W ignore - <<'PYTHON'
import contextlib
import io
import itertools

import numpy
import torch
from pomegranate.distributions import Categorical, Normal
from pomegranate.hmm import DenseHMM, SparseHMM

torch.set_num_threads(1)
torch.manual_seed(0)
STARTS, EDGES = numpy.float32([0.6, 0.4]), numpy.float32([[0.8, 0.2], [0.3, 0.7]])
EMITS = numpy.float32([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6]])


def by_hand(x):
    """The probability of a sequence and its states' probabilities, over all paths."""
    states = numpy.zeros((len(x), 2))
    for path in itertools.product(range(2), repeat=len(x)):
        one = STARTS[path[0]] * numpy.prod([EDGES[a, b] for a, b in itertools.pairwise(path)])
        one *= numpy.prod([EMITS[state, symbol] for state, symbol in zip(path, x)])
        states[range(len(x)), path] += one
    return states[0].sum(), states / states[0].sum()


emits = [Categorical(row[None]) for row in EMITS]
dense = DenseHMM(emits, edges=EDGES, starts=STARTS)
sparse = SparseHMM(emits, starts=STARTS, edges=[
    (a, b, float(p)) for a, row in zip(emits, EDGES) for b, p in zip(emits, row)])  # fmt: skip
sums = dict.fromkeys(("by hand", "DenseHMM", "SparseHMM"), 0.0)
for x in itertools.product(range(3), repeat=4):
    tensor = torch.tensor(x).reshape(1, -1, 1)
    probability, states = by_hand(x)
    sums["by hand"] += float(probability)
    sums["DenseHMM"] += dense.log_probability(tensor).exp().item()
    sums["SparseHMM"] += sparse.log_probability(tensor).exp().item()
    assert numpy.allclose(dense.predict_proba(tensor)[0].numpy(), states, atol=1e-4)
print(f"sum of the probabilities of all sequences of 4 steps: {sums}")
assert abs(sums["by hand"] - 1) < 1e-4 and abs(sums["DenseHMM"] - 0.5) < 1e-4 and sums["SparseHMM"] == 0

random = numpy.random.default_rng(0)


def sequence(steps):
    states = [random.choice(2)]
    for _ in range(steps - 1):
        states.append(random.choice(2, p=[[0.9, 0.1], [0.2, 0.8]][states[-1]]))
    return random.normal(3 * numpy.array(states))


def fitted(x, **options):
    """The steps of training and the two means."""
    normals = [Normal([mean], [2.0], covariance_type="diag") for mean in (0.5, 1.5)]
    model, told = DenseHMM(normals, max_iter=200, verbose=True, **options), io.StringIO()
    with contextlib.redirect_stdout(told):
        model.fit(x)
    changes = [float(line.split("Improvement: ")[1].split(",")[0]) for line in told.getvalue().splitlines()]
    assert all(change > 0 for change in changes[:-1])
    return len(changes), changes[-1], sorted(round(d.means.item(), 2) for d in model.distributions)


half = numpy.float32([0.5, 0.5])
edges = numpy.float32([half, half])
for count, steps in ((100, 20), (20, 100)):
    x = torch.tensor(numpy.stack([sequence(steps) for _ in range(count)]), dtype=torch.float32)[:, :, None]
    short, none = fitted(x, edges=edges, starts=half), fitted(x)
    full = fitted(x, edges=0.95 * edges, starts=half, ends=0.1 * half)
    print(f"{count} sequences of {steps}: steps, last change of the likelihood, means without ends {short}, "
          f"without any {none}, with ends {full}")  # fmt: skip
    for found in (short, none):
        assert found[0] == 1 and found[1] < 0 and found[2][0] > 0.2 and found[2][1] < 2
    assert full[0] > 10 and abs(full[2][0]) < 0.2 and abs(full[2][1] - 3) < 0.2
PYTHON
