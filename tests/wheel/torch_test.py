# The wheel beside PyTorch, installed into an environment that has the packages of build/peers: a layer's
# step, whichever of the two is imported first, against torch.nn to 1e-5, and a training.

import pathlib
import subprocess
import sys
import sysconfig

import pytest

BUILT = pathlib.Path(__file__).parents[2] / "build/wheel"

STEP = """
torch.manual_seed(1)
layer = quadgate.nn.LSTM(5, 16, num_layers=2, bidirectional=True)
same = torch.nn.LSTM(5, 16, num_layers=2, bidirectional=True)
same.load_state_dict(layer.state_dict())
x = torch.randn(7, 3, 5)
for module in (layer, same):
    output, (h, c) = module(x)
    (output.square().sum() + (h * c).sum()).backward()
print(max((a.grad - b.grad).abs().max().item() for a, b in zip(layer.parameters(), same.parameters())))
print("loaded:", *(line.split()[-1] for line in open("/proc/self/maps") if "/lib" in line))
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    venv = tmp_path_factory.mktemp("venv")
    subprocess.run([sys._base_executable, "-m", "venv", "--without-pip", venv], check=True)
    (wheel,) = BUILT.glob("*.whl")
    subprocess.run([BUILT / "tools/bin/python", "-m", "pip", "--python", venv / "bin/python", "install", "-q",
                    "--disable-pip-version-check", "--no-index", "--no-deps", wheel], check=True)  # fmt: skip
    (site,) = venv.glob("lib/python3*/site-packages")
    (site / "peers.pth").write_text(sysconfig.get_path("purelib"))
    return venv / "bin/python"


@pytest.mark.parametrize("imports", ["import torch, quadgate.nn", "import quadgate._engine, torch, quadgate.nn"])
def test_a_step_whichever_is_imported_first(python, tmp_path, imports):
    run = subprocess.run([python, "-c", imports + STEP], cwd=tmp_path, env={}, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert run.stderr == ""
    difference, loaded = run.stdout.splitlines()
    assert float(difference) < 1e-5
    ours = {pathlib.Path(path).parent for path in loaded.split() if "libtbb" in path or "libdnnl" in path}
    assert {folder.name for folder in ours} == {"quadgate.libs"}


def test_trains_arrays(python, tmp_path):
    code = """
import numpy, quadgate
x = numpy.random.default_rng(1).normal(size=(20, 5, 2))
config = {"model": {"hidden_size": 4}, "train": {"epochs": 2}, "output": {"dir": "run"}}
result = quadgate.train(config, data=(x, x[:, 0, 0]))
print(len(result.metrics), quadgate.predict(result, x)["values"].shape)
"""
    run = subprocess.run([python, "-c", code], cwd=tmp_path, env={}, capture_output=True, text=True)
    assert (run.stdout, run.stderr) == ("2 (20, 1)\n", "")
