"""examples/long_memory: its gradients beside PyTorch's for the same weights and sequences, and what
its page claims, in a short run."""

import json
import os
import pathlib
import subprocess
import sys

import pytest
import torch

EXAMPLE = pathlib.Path(__file__).parents[2] / "examples" / "long_memory"
sys.path.append(str(EXAMPLE))

import torch_long_memory  # noqa: E402


def examples():
    done = subprocess.run([os.environ["QUADGATE_LONG_MEMORY"], "--examples"], capture_output=True,
                          text=True, check=True)  # fmt: skip
    return json.loads(done.stdout)


def test_gradient_reach_is_pytorch_s():
    for example in examples():
        model = torch_long_memory.Model(example["cell"], 2, 1, hidden=16)
        shapes = model.state_dict()
        model.load_state_dict(
            {name: torch.tensor(values).view_as(shapes[name])
             for name, values in example["weights"].items()}
        )  # fmt: skip
        expected = torch_long_memory.gradient_reach(model, torch.tensor(example["x"]).view(3, 40, 2))
        for part, values in expected.items():
            assert example[part] == pytest.approx(values, abs=2e-5), (example["model"], part)
        assert len(expected["state"]) == 40


@pytest.mark.slow
def test_quick_run(tmp_path):
    environment = os.environ | {
        "QUADGATE_EXAMPLE_FOLDER": str(tmp_path / "work"),
        "QUADGATE_PYTHON": sys.executable,
    }
    done = subprocess.run([EXAMPLE / "run", "--quick"], env=environment, capture_output=True,
                          text=True)  # fmt: skip
    assert done.returncode == 0, done.stderr
    results = json.loads((tmp_path / "work" / "memory.json").read_text())

    def reach(model, k):
        found = [e["state"][k - 1] for e in results["gradient"] if e["model"] == model]
        return sum(found) / len(found)

    def accuracy(problem, model, lag):
        [found] = [e["accuracy"] for e in results["training"]
                   if (e["problem"], e["model"], e["lag"]) == (problem, model, lag)]  # fmt: skip
        return found

    biased = "LSTM, forget bias 4"
    assert reach("RNN (tanh)", 100) < -15
    assert reach("RNN (tanh)", 100) < reach("LSTM", 100) < reach("LSTM, forget bias 1", 100)
    assert reach(biased, 100) > -1.5
    assert accuracy("adding", "GRU", 30) > 0.9
    assert accuracy("adding", "RNN (tanh)", 30) < 0.5
    assert accuracy("copy", biased, 30) > accuracy("copy", "LSTM", 30) + 0.3
    for plot in ("gradient.svg", "accuracy.svg"):
        assert (tmp_path / "work" / plot).read_text().startswith("<svg")
    report = (tmp_path / "work" / "report.md").read_text()
    assert all(name in report for name in ("RNN (tanh)", "GRU", biased, "Bi-LSTM"))
