"""`quadgate scale --compare torch` measures PyTorch at the same thread counts, with sequences of one
length and of many."""

import json
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


@pytest.mark.parametrize("case", CASES)
def test_pytorch_is_measured_beside(case, tmp_path):
    out = tmp_path / "scale.json"
    quadgate("scale", *SHAPE, *CASES[case], "--repeats", 2, "--seconds", 0.02,
             "--compare", "torch", "--python", sys.executable, "-o", out)
    record = json.loads(out.read_text())
    assert record["torch_version"] == torch.__version__
    for point in record["points"]:
        theirs, ours = point["torch"]["step_ms"], point["step_ms"]
        assert theirs["min"] > 0
        assert theirs["min"] / ours["max"] * 0.999 < point["torch"]["ratio"]["median"]
        assert point["torch"]["ratio"]["median"] < theirs["max"] / ours["min"] * 1.001
    assert record["points"][0]["torch"]["speed_up"]["median"] == 1
