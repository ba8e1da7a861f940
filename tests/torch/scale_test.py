"""`quadgate scale --compare torch` measures PyTorch at the same thread counts, with sequences of one
length and of many."""

import json
import os
import subprocess
import sys

import pytest
import torch

from support import quadgate

SHAPE = ["--seq-len", 6, "--batch", 4, "--input-size", 3, "--hidden-size", 8]
CASES = {
    "plain": ["--threads", 1],
    "lengths": ["--threads", "1,2", "--mode", "weak", "--lengths", "2:6", "--num-layers", 2,
                "--bidirectional", "--no-pin"],
    "bf16": ["--threads", 1, "--precision", "bf16"],
    "rnn_relu": ["--threads", 1, "--cell", "rnn_relu"],
}


@pytest.mark.parametrize("case", [
    pytest.param(case, marks=[pytest.mark.slow] if case != "plain" else [])
    for case in CASES
])  # fmt: skip
def test_pytorch_is_measured_beside(case, tmp_path):
    if case == "bf16" and "AVX512" not in torch.backends.cpu.get_cpu_capability():
        pytest.skip("NOT TESTED: PyTorch's LSTM raises in bf16 on a CPU without AVX-512")
    out = tmp_path / "scale.json"
    quadgate("scale", *SHAPE, *CASES[case], "--repeats", 1 + (case == "plain"), "--seconds", 0.02,
             "--compare", "torch", "--python", sys.executable, "-o", out)
    record = json.loads(out.read_text())
    assert record["torch_version"] == torch.__version__
    for point in record["points"]:
        theirs, ours = point["torch"]["step_ms"], point["step_ms"]
        assert theirs["min"] > 0
        assert theirs["min"] / ours["max"] * 0.999 < point["torch"]["ratio"]["median"]
        assert point["torch"]["ratio"]["median"] < theirs["max"] / ours["min"] * 1.001
    assert record["points"][0]["torch"]["speed_up"]["median"] == 1


def test_a_step_that_pytorch_cannot_do_is_measured_without_it(tmp_path):
    """As on a CPU without AVX-512, where its LSTM raises in bf16."""
    out = tmp_path / "scale.json"
    command = [os.environ["QUADGATE_BIN"], "scale", *SHAPE, "--threads", 1, "--repeats", 1,
               "--seconds", 0.02, "--precision", "bf16", "--compare", "torch", "--python", sys.executable,
               "-o", out]  # fmt: skip
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          env=os.environ | {"ONEDNN_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2"})  # fmt: skip
    assert done.returncode == 0, done.stderr
    warning = f"quadgate: warning: PyTorch {torch.__version__} cannot do this step: RuntimeError: "
    assert [line for line in done.stderr.splitlines() if line.startswith(warning)], done.stderr
    record = json.loads(out.read_text())
    assert record["torch_version"] is None and "RuntimeError" in record["torch_problem"]
    (point,) = record["points"]
    assert "torch" not in point and point["step_ms"]["median"] > 0
