#!/usr/bin/env bash
# torch-struct 0.5, torch 2.13.0: LinearChainCRF and HMM take the lengths of a batch's sequences. to_event, which makes
# the event of a sequence of tags that log_prob is then asked for, has an argument for them as well and leaves it out:
# behind the end of a shorter sequence the tags of the padding are scored, and the partition function is without them.
# So the probabilities of all its taggings add up to another number than 1 (2.07 here, so that log_prob can be above 0),
# and a loss that is -log_prob trains the scores of the padding, to which argmax, marginals and partition are blind.
# They, entropy, and to_parts(tags, classes, lengths), the function under to_event, are right.
# https://nlp.seas.harvard.edu/pytorch-struct/model.html
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q torch-struct==0.5 torch==2.13.0 numpy==2.4.6
cd "$folder"
venv/bin/python -W ignore - <<'PYTHON'
import itertools

import torch
from torch_struct import LinearChainCRF

CLASSES, STEPS = 3, 5
lengths = torch.tensor([STEPS, 3])
torch.manual_seed(3)
scores = torch.randn(2, STEPS - 1, CLASSES, CLASSES, dtype=torch.double)
crf = LinearChainCRF(scores, lengths=lengths)


def padded(row, tags):
    batch = torch.zeros(2, STEPS, dtype=torch.long)
    batch[row, : len(tags)] = torch.tensor(tags)
    return batch


for row, length in enumerate(lengths.tolist()):
    taggings = list(itertools.product(range(CLASSES), repeat=length))
    energies = torch.stack([sum(scores[row, t, tags[t + 1], tags[t]] for t in range(length - 1)) for tags in taggings])
    right = energies.log_softmax(0)
    assert torch.allclose(crf.partition[row], energies.logsumexp(0))
    assert torch.allclose(crf.entropy[row], -(right * right.exp()).sum())
    best = taggings[int(energies.argmax())]
    assert crf.from_event(crf.argmax)[0][row, :length].tolist() == list(best)
    total, off = {}, {}
    for name, event in (("to_event", crf.to_event), ("to_parts", crf.struct.to_parts)):
        found = torch.stack([crf.log_prob(event(padded(row, tags), CLASSES, lengths))[row] for tags in taggings])
        total[name], off[name] = found.exp().sum().item(), (found - right).abs().max().item()
        print(f"{name}, {length} of {STEPS} steps: they add up to {total[name]:.3f}, log off by {off[name]:.1g}")
    assert abs(total["to_parts"] - 1) < 1e-9 and off["to_parts"] < 1e-9
    if length == STEPS:
        assert abs(total["to_event"] - 1) < 1e-9
    else:
        assert total["to_event"] > 1.5
        loss = -crf.log_prob(crf.to_event(padded(row, best), CLASSES, lengths))[row]
        (gradient,) = torch.autograd.grad(loss, scores, retain_graph=True)
        print("steps whose scores a loss of it trains:", gradient[row].flatten(1).any(1).tolist())
        assert gradient[row, length - 1 :].any() and not crf.marginals[row, length - 1 :].any()
PYTHON
