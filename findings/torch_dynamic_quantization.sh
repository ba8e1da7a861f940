#!/usr/bin/env bash
# torch 2.13.0, CPU: torch.ao.quantization.quantize_dynamic converts an nn.LSTM with proj_size without a word, and
# the first forward pass raises a RuntimeError about the rows of packB. An nn.LSTM or nn.GRU with bias=False ends the
# conversion with an AssertionError. Without either, both run, near the float model.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q numpy==2.4.6 torch==2.13.0
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import torch
from torch.ao.quantization import quantize_dynamic

torch.manual_seed(0)
x = torch.randn(5, 3, 8)


def stops_at(cell, **options):
    model = torch.nn.Sequential(cell(8, 16, **options)).eval()
    try:
        quantized = quantize_dynamic(model, {cell}, dtype=torch.qint8)
    except Exception as error:
        return "conversion", type(error).__name__
    try:
        output = quantized(x)[0]
    except Exception as error:
        return "forward", type(error).__name__
    assert (output - model(x)[0]).abs().max() < 0.05
    return "end", None


LSTM, GRU = torch.nn.LSTM, torch.nn.GRU
assert stops_at(LSTM) == stops_at(GRU) == ("end", None)
found = stops_at(LSTM, proj_size=4), stops_at(LSTM, bias=False), stops_at(GRU, bias=False)
print(found)
assert found == (("forward", "RuntimeError"), ("conversion", "AssertionError"), ("conversion", "AssertionError"))
PYTHON
