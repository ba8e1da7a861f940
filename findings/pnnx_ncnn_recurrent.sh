#!/usr/bin/env bash
# pnnx 20261020, ncnn 1.0.20261020, torch 2.14.1: pnnx turns a traced torch.nn.RNN with
# nonlinearity="relu" into an RNN of ncnn, which has tanh only. It prints one line and ends with 0; the
# model that it wrote runs and gives the numbers of tanh. An LSTM traced with an input of 4 sequences
# becomes a model that takes an array [4, 6, 5] and gives [6, 7]: the first sequence alone, with no
# line. Weights are stored in half precision unless fp16=0 is given: outputs differ by 1e-4.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q pnnx==20261020 ncnn==1.0.20261020 torch==2.14.1 numpy==2.4.6
cd "$folder"
PATH="$folder/venv/bin:$PATH" venv/bin/python - <<'PYTHON'
import subprocess
import ncnn
import numpy as np
import torch

class Outputs(torch.nn.Module):
    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, x):
        return self.layer(x)[0]

def through_ncnn(layer, x, *options):
    """What the converted model gives for x, the exit code and the lines of pnnx that say 'not'."""
    torch.jit.trace(Outputs(layer).eval(), x).save("m.pt")
    command = ["pnnx", "m.pt", "inputshape=" + str(list(x.shape)).replace(" ", ""), *options]
    done = subprocess.run(command, capture_output=True, text=True)
    net = ncnn.Net()
    net.load_param("m.ncnn.param")
    net.load_model("m.ncnn.bin")
    run = net.create_extractor()
    run.input("in0", ncnn.Mat(x.squeeze().numpy()).clone())
    code, out = run.extract("out0")
    assert code == 0
    told = [line for line in (done.stdout + done.stderr).splitlines() if " not " in line]
    return np.array(out), done.returncode, told

torch.manual_seed(0)
one = torch.randn(6, 1, 5)
relu = torch.nn.RNN(5, 7, nonlinearity="relu")
got, code, told = through_ncnn(relu, one, "fp16=0")
tanh = torch.nn.RNN(5, 7)
tanh.load_state_dict(relu.state_dict())
with torch.no_grad():
    of_relu = np.abs(got - relu(one)[0][:, 0].numpy()).max()
    of_tanh = np.abs(got - tanh(one)[0][:, 0].numpy()).max()
print(f"relu: exit code {code}, {told}, differs from relu by {of_relu:.3g}, from tanh by {of_tanh:.3g}")
assert code == 0 and of_relu > 0.1 and of_tanh < 1e-4

lstm = torch.nn.LSTM(5, 7, batch_first=True)
four = torch.randn(4, 6, 5)
got, code, told = through_ncnn(lstm, four, "fp16=0")
with torch.no_grad():
    want = lstm(four)[0].numpy()
print(f"4 sequences: exit code {code}, {told}, {want.shape} becomes {got.shape}")
assert code == 0 and not told and got.shape == (6, 7)
assert np.abs(got - want[0]).max() < 1e-4

row = one.transpose(0, 1).contiguous()
with torch.no_grad():
    want = lstm(row)[0][0].numpy()
for options, least, most in (([], 1e-6, 1e-3), (["fp16=0"], 0, 1e-6)):
    differs = np.abs(through_ncnn(lstm, row, *options)[0] - want).max()
    print(f"pnnx {options}: differs by {differs:.3g}")
    assert least <= differs < most
PYTHON
