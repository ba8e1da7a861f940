"""What quadgate.nn refuses, as torch.nn does, and what it leaves to torch."""

import warnings

import pytest
import torch
import torch.fx.experimental.proxy_tensor
from modules import CELLS, assert_close, pair
from torch.nn.utils.rnn import PackedSequence, pack_sequence

import quadgate.nn
from quadgate import _autograd, _functions


def test_bad_input_is_refused_in_torchs_words():
    h = torch.randn(1, 3, 6)
    bad = {
        "input_size": (torch.randn(5, 3, 5),),
        "dtype": (torch.randn(5, 3, 4).double(),),
        "dimensions": (torch.randn(5, 3, 4, 1),),
        "no steps": (torch.randn(0, 3, 4),),
        "rows of h": (torch.randn(5, 3, 4), (h[:, :2], h)),
        "rows of c": (torch.randn(5, 3, 4), (h, h[:, :2])),
        "three states": (torch.randn(5, 3, 4), (h, h, h)),
        "dimensions of h": (torch.randn(5, 3, 4), (h[0], h[0])),
        "states of an unbatched input": (torch.randn(5, 4), (h, h)),
        "sequences that begin late": (PackedSequence(torch.randn(8, 4), torch.tensor([3, 2, 3])),),
        "no sequence": (PackedSequence(torch.randn(3, 4), torch.tensor([3, -1, 1])),),
        "packed steps": (PackedSequence(torch.randn(4, 4), torch.tensor([3, 2])),),
        "int32": (PackedSequence(torch.randn(5, 4), torch.tensor([3, 2], dtype=torch.int32)),),
    }
    modules = pair("LSTM", 4, 6)
    for arguments in bad.values():
        errors = []
        for module in modules:
            with pytest.raises(Exception) as caught:
                module(*arguments)
            errors.append((caught.type, str(caught.value)))
        assert errors[0] == errors[1]


def test_packed_sequences_of_another_width_are_refused():
    for lengths in ((3, 2), (3, 3)):
        x = pack_sequence([torch.randn(n, 5) for n in lengths])
        with pytest.raises(RuntimeError, match="Expected 4, got 5"):
            quadgate.nn.LSTM(4, 6)(x)


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
@pytest.mark.parametrize("cell", [*CELLS, "relu"])
def test_nan_and_infinity_pass_through(cell, value):
    cell, options = ("RNN", {"nonlinearity": "relu"}) if cell == "relu" else (cell, {})
    found = []
    for module in reversed(pair(cell, 2, 3, **options)):
        x = torch.linspace(-1, 1, 16).reshape(4, 2, 2)
        x[1, 0, 0] = value
        y = module(x.requires_grad_())[0]
        found.append([y, *torch.autograd.grad(y.sum(), [x, *module.parameters()])])
    for ours, theirs in zip(*found):
        assert torch.equal(ours.isnan(), theirs.isnan())
        assert_close(ours.nan_to_num(), theirs.nan_to_num())


def test_what_torch_computes_is_said_once():
    _autograd._warned.clear()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        theirs, ours = (module.double() for module in pair("GRU", 4, 6))
        x = torch.randn(3, 2, 4).double()
        for _ in range(2):
            assert torch.equal(ours(x)[0], theirs(x)[0])
    assert [str(w.message) for w in caught] == [
        "quadgate leaves this to torch's own kernels: a tensor of torch.float64"
    ]
    assert caught[0].filename == __file__


@pytest.mark.filterwarnings("ignore:quadgate leaves this")
def test_what_torch_computes_is_right():
    theirs, ours = pair("LSTM", 4, 6)
    x = torch.randn(3, 2, 4)
    assert_close(torch.jit.trace(ours, x)(x), theirs(x))
    assert_close(*(torch.func.grad(lambda z, m=m: m(z)[0].sum())(x) for m in (ours, theirs)))
    jacobian = torch.autograd.functional.jacobian
    assert_close(*(jacobian(lambda z, m=m: m(z)[0], x, vectorize=True) for m in (ours, theirs)))
    d = torch.randn(5, 3, 2, 6)
    y = [m(x.requires_grad_())[0] for m in (ours, theirs)]
    assert_close(*(torch.vmap(lambda d, y=y: torch.autograd.grad(y, x, d, True)[0])(d) for y in y))
    theirs, ours = pair("LSTM", 4, 6, num_layers=2, dropout=1.0)
    assert_close(ours(x), theirs(x))


@pytest.mark.filterwarnings("ignore:quadgate leaves this")
def test_opposites_zeros_and_modes_are_seen():
    theirs, ours = pair("LSTM", 4, 5)
    x = torch.randn(6, 3, 4)
    assert_close(ours(torch._neg_view(x))[0], theirs(torch._neg_view(x))[0], 1e-5)
    for d in (torch._neg_view(torch.ones(6, 3, 5)), torch._efficientzerotensor((6, 3, 5))):
        expected, actual = [
            torch.autograd.grad(module(x)[0], module.weight_hh_l0, d)[0] for module in (theirs, ours)
        ]
        assert_close(actual, expected, 1e-5)
    for options in ({}, {"tracing_mode": "symbolic", "_allow_non_fake_inputs": True}):
        traced = torch.fx.experimental.proxy_tensor.make_fx(lambda x: ours(x)[0], **options)(x)
        assert_close(traced(x + 1), theirs(x + 1)[0], 1e-5)


def test_compiled_models_compute_with_our_kernels(monkeypatch):
    calls = []
    compute = _functions.compute
    monkeypatch.setattr(_functions, "compute", lambda *a, **k: calls.append(1) or compute(*a, **k))
    x, found = torch.randn(3, 2, 4), []
    for module in reversed(pair("LSTM", 4, 6)):
        model = torch.compile(torch.nn.Sequential(torch.nn.Tanh(), module), backend="aot_eager")
        y = model(x)[0]
        found.append([y, *torch.autograd.grad(y.sum(), list(module.parameters()))])
    assert_close(*found)
    assert len(calls) == 1


def test_allow_rnn_compiles_layers_as_torchs():
    x, found = torch.randn(3, 2, 4), []
    with torch._dynamo.config.patch(allow_rnn=True):
        for module in pair("LSTM", 4, 6):
            found.append(torch.compile(module, backend="eager", fullgraph=True)(x)[0])
    assert_close(*found)


@pytest.mark.parametrize("strict", [True, False])
def test_exported_programs_compute_what_torch_computes(strict):
    x, (theirs, ours) = torch.randn(3, 2, 4), pair("LSTM", 4, 6)
    exported = torch.export.export(ours, (x,), strict=strict).module()
    assert_close(exported(x)[0], theirs(x)[0], 1e-5)


@pytest.mark.filterwarnings("ignore:quadgate leaves this", "ignore:The PyTorch API of nested tensors")
@pytest.mark.parametrize("layout", [torch.strided, torch.jagged])
def test_nested_tensors_are_torchs_error(layout):
    x, errors = torch.nested.nested_tensor([torch.ones(3, 4)], layout=layout), []
    for module in pair("LSTM", 4, 6):
        with pytest.raises(RuntimeError) as caught:
            module(x)
        errors.append((caught.type, str(caught.value)))
    assert errors[0] == errors[1]


def test_autocast_to_float16_is_torchs():
    """Which has no LSTM for it on most CPUs."""
    x, found = torch.randn(3, 2, 4), []
    with torch.autocast("cpu", torch.float16), pytest.warns(UserWarning, match="autocast to torch.float16"):
        for module in reversed(pair("LSTM", 4, 6)):
            try:
                found.append(module(x)[0].dtype)
            except RuntimeError as error:
                found.append(str(error))
    assert found[0] == found[1]
