#!/usr/bin/env bash
# pytorch-lifestream 0.7.0, torch 2.13.0: three of what its RnnSeqEncoder is documented to do it does not, and nothing
# is said. With type="lstm", h_0 is left out, and so is the learnable start (trainable_starter="static", the default):
# an embedding that goes on from a former one, "the same as" that of all data in the documentation, is that of the new
# data alone. reducer="first_step" gives the last step. reducer="last_max_avg", "over all hidden states", takes those
# of the padding too, so that a client's embedding differs with the length of the others in its batch. With the GRU h_0
# is followed, and reducer="last_step" is right of both.
# https://github.com/pytorch-lifestream/pytorch-lifestream, ptls/nn/seq_encoder/containers.py and ptls/nn/seq_step.py
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --no-deps pytorch-lifestream==0.7.0
"$folder/venv/bin/pip" install -q torch==2.13.0 numpy==2.4.6 pandas==3.1.1 pyarrow==26.0.1 scikit-learn==1.9.1 \
    omegaconf==2.4.0 duckdb==2.0.1 pytorch-lightning==2.6.6 transformers==5.24.0 2>"$folder/log"
cd "$folder"
venv/bin/python -W ignore - 2>>log <<'PYTHON' || { tail -5 log; exit 1; }
import torch
from ptls.data_load.padded_batch import PaddedBatch
from ptls.nn import RnnSeqEncoder, TrxEncoder

UNITS = 4
torch.set_grad_enabled(False)
amounts = {"a": [0.3, -1.2, 0.8, 0.1, -0.4, 2.0], "b": [1.5, -0.7]}


def batch(*sequences):
    padded = torch.nn.utils.rnn.pad_sequence([torch.tensor(s) for s in sequences], batch_first=True)
    return PaddedBatch({"amount": padded}, torch.tensor([len(s) for s in sequences]))


def apart(p, q):
    return (p - q).abs().max().item()


for kind in ("gru", "lstm"):
    for reducer in ("last_step", "first_step", "last_max_avg"):
        torch.manual_seed(0)
        amount = TrxEncoder(embeddings={}, numeric_values={"amount": "identity"}, use_batch_norm=False)
        encoder = RnnSeqEncoder(amount, hidden_size=UNITS, type=kind, reducer=reducer).eval()
        rnn, start = encoder.seq_encoder.rnn, torch.tanh(encoder.seq_encoder.starter_h)

        def outputs(sequence):
            x = amount(batch(sequence)).payload
            return rnn(x, start)[0][0] if kind == "gru" else rnn(x)[0][0]

        a, b = encoder(batch(amounts["a"], amounts["b"]))
        y_a, y_b = outputs(amounts["a"]), outputs(amounts["b"])
        if reducer == "last_max_avg":
            right = torch.cat([y_b[-1], y_b.max(0).values, y_b.mean(0)])
            alone = encoder(batch(amounts["b"]))[0]
            print(f"{kind} {reducer}: 2 of 6 steps off by {apart(b, right):.2f}, alone by {apart(alone, right):.1g}")
            assert apart(b, right) > 0.05 and apart(alone, right) < 1e-6
        else:
            print(f"{kind} {reducer}: off from the first step by {apart(a, y_a[0]):.2f}, last {apart(a, y_a[-1]):.1g}")
            assert apart(a, y_a[-1]) < 1e-6 and apart(a, y_a[0]) > 0.05 and apart(b, y_b[-1]) < 1e-6
        if reducer == "last_step":
            before, after = batch(amounts["a"][:4], amounts["b"]), batch(amounts["a"][4:], [0.6, 0.2])
            both = encoder(batch(amounts["a"], [*amounts["b"], 0.6, 0.2]))
            updated, new_alone = encoder(after, h_0=encoder(before)), encoder(after)
            print(f"{kind}: updated, off from all by {apart(updated, both):.1g}, new {apart(updated, new_alone):.1g}")
            assert apart(updated, both) < 1e-6 if kind == "gru" else apart(updated, new_alone) == 0
            assert kind == "gru" or apart(updated, both) > 0.02
PYTHON
