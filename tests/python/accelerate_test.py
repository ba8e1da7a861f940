"""quadgate.accelerate on models of torch, and back: the same losses (to 1e-4 of them), Parameters and optimizer."""

import copy
import pickle

import pytest
import torch
from modules import assert_close

import quadgate
import quadgate.nn
from quadgate import _functions


class Derived(torch.nn.LSTM):
    """As those of pytorch-forecasting: torch's forward in other clothes."""

    calls = 0

    def forward(self, x, hx=None):
        self.calls += 1
        return super().forward(x, hx)


def test_accelerate_and_revert_keep_parameters_and_optimizers():
    def make():
        torch.manual_seed(1)
        return torch.nn.ModuleDict(
            {
                "rnn": torch.nn.LSTM(3, 8, batch_first=True),
                "more": torch.nn.Sequential(torch.nn.GRU(8, 8, batch_first=True)),
                "cell": torch.nn.GRUCell(8, 8),
                "derived": Derived(8, 8),
            }
        )

    def losses(model, steps, optimizer):
        x, found = torch.randn(4, 6, 3, generator=torch.Generator().manual_seed(2)), []
        for _ in range(steps):
            optimizer.zero_grad()
            y, _ = model["derived"](model["more"](model["rnn"](x)[0])[0])
            loss = (model["cell"](y[:, -1]) - 1).pow(2).mean()
            loss.backward()
            optimizer.step()
            found.append(loss.item())
        return found

    expected = losses(model := make(), 10, torch.optim.Adam(model.parameters(), 1e-2))
    model = make()
    parameters = list(model.parameters())
    optimizer = torch.optim.Adam(parameters, 1e-2)
    found = losses(model, 3, optimizer)
    done = quadgate.accelerate(model)
    assert done.swapped == ["rnn", "more.0", "derived"] and done.left.keys() == {"cell"}
    assert "swapped: rnn, more.0, derived" in str(done) and "left cell: GRUCell" in str(done)
    assert type(model["rnn"]) is quadgate.nn.LSTM and isinstance(model["derived"], Derived)
    assert quadgate.accelerate(model).swapped == []
    assert all(a is b for a, b in zip(model.parameters(), parameters))
    found += losses(model, 4, optimizer)
    assert quadgate.revert(model).swapped == ["rnn", "more.0", "derived"]
    assert type(model["rnn"]) is torch.nn.LSTM and type(model["derived"]) is Derived
    found += losses(model, 3, optimizer)
    assert found == pytest.approx(expected, rel=1e-4)
    assert model["derived"].calls == 10


def test_derived_modules_are_ours_and_can_be_copied(monkeypatch):
    module = Derived(3, 5)
    x = torch.randn(4, 2, 3)
    expected = module(x)[0]
    quadgate.accelerate(module)
    calls = []
    compute = _functions.compute
    monkeypatch.setattr(_functions, "compute", lambda *a, **k: calls.append(1) or compute(*a, **k))
    for other in (module, copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        assert isinstance(other, (Derived, quadgate.nn.LSTM)) and repr(other) == "Derived(3, 5)"
        assert_close(other(x)[0], expected)
    assert len(calls) == 3


class CallsTorchs(torch.nn.LSTM):
    def forward(self, x):
        return torch.nn.LSTM.forward(self, x)


class OfTheBase(torch.nn.RNNBase):
    def __init__(self):
        super().__init__("GRU", 3, 5)


@pytest.mark.filterwarnings("ignore")  # torch calls quantization and scripts deprecated
def test_what_torch_goes_on_computing_is_said():
    lstm = torch.nn.LSTM(3, 5)
    lstm.forward = lambda x: x
    named, linear = torch.nn.LSTM(3, 5), torch.nn.Linear(3, 5)
    named.original_name, linear.original_name = "LSTM", ["LSTM"]
    quantized = torch.ao.quantization.quantize_dynamic(torch.nn.Sequential(torch.nn.LSTM(3, 5)))
    model = torch.nn.ModuleDict(
        {
            "scripted": torch.jit.script(torch.nn.LSTM(3, 5)),
            "base": OfTheBase(),
            "quantized": quantized,
            "quantizable": torch.ao.nn.quantizable.LSTM(3, 5),
            "patched": lstm,
            "f64": torch.nn.RNN(3, 5).double(),
            "calls": CallsTorchs(3, 5),
            "gru": torch.nn.GRU(3, 5),
            "named": named,
            "linear": linear,
        }
    )
    done = quadgate.accelerate(model)
    assert done.swapped == ["calls", "gru", "named"] and done.own_forward == ["calls"]
    reasons = {
        "scripted": "torch.jit has compiled it",
        "base": "OfTheBase is derived from RNNBase, not from LSTM, GRU or RNN",
        "quantized.0": "LSTM of torch.ao.nn.quantized.dynamic.modules.rnn computes for quantization",
        "quantizable": "LSTM of torch.ao.nn.quantizable.modules.rnn computes for quantization",
        "patched": "its forward is the object's own, not its class's",
        "f64": "its weights are torch.float64",
    }
    assert done.left == reasons
    assert "\nours where they call super().forward: calls\nleft scripted: torch.jit" in str(done)
    assert type(model["patched"]) is torch.nn.LSTM


def test_accelerate_swaps_the_model_itself():
    model = torch.nn.RNN(3, 4)
    assert str(quadgate.accelerate(model)) == "swapped: the model"
    assert type(model) is quadgate.nn.RNN


def test_what_is_no_model_is_refused():
    for model in (None, [torch.nn.LSTM(3, 4)], torch.nn.LSTM):
        with pytest.raises(TypeError, match="model: expected a torch.nn.Module, found (NoneType|list|type)"):
            quadgate.accelerate(model)
