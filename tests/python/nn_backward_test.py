"""Backward passes of quadgate.nn: what waits for them, what changes before them, and the gradient of a gradient."""

import pytest
import torch
from modules import CELLS, assert_close, pair

import quadgate.nn
from quadgate import _autograd


def test_passes_that_wait_and_second_backward_passes():
    """More passes at once than have engines, and a graph that is gone through twice."""
    found = []
    for module in reversed(pair("LSTM", 3, 5, num_layers=2)):
        torch.manual_seed(4)
        x = torch.randn(10, 2, 3, requires_grad=True)
        states, outputs = None, []
        for step in x.split(1):
            output, states = module(step, states)
            outputs.append(output)
        loss = torch.cat(outputs).pow(2).sum()
        wanted = [x, *module.parameters()]
        first = torch.autograd.grad(loss, wanted, retain_graph=True)
        second = torch.autograd.grad(loss, wanted)
        assert all(torch.equal(a, b) for a, b in zip(first, second))
        found.append(first)
    assert_close(*found)


def test_passes_that_never_end_leave_engines_to_others(monkeypatch):
    """The graph of `x += output` holds itself, so that nobody frees it, in torch as here."""
    module = quadgate.nn.LSTM(3, 3)
    for _ in range(5):
        x = torch.randn(4, 2, 3)
        x += module(x)[0]
    passes = []
    forward = _autograd._Job.forward
    monkeypatch.setattr(_autograd._Job, "forward", lambda *a: passes.append(1) or forward(*a))
    module(torch.randn(4, 2, 3))[0].sum().backward()
    assert len(passes) == 1


def test_weights_that_change():
    theirs, ours = pair("LSTM", 3, 5)
    x = torch.randn(4, 2, 3)
    ours(x)
    for module in (theirs, ours):
        module.weight_hh_l0.data.mul_(0.5)  # which torch's counter of versions does not see
    assert_close(ours(x), theirs(x))
    loss = ours(x)[0].sum()
    with torch.no_grad():
        ours.weight_ih_l0.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()
    for module in (theirs, ours):
        torch.nn.utils.vector_to_parameters(torch.linspace(-1, 1, 200), module.parameters())
    assert_close(ours(x), theirs(x))


@pytest.mark.parametrize("turned", [False, True])
def test_an_input_stays_until_the_backward_pass(turned):
    """It is read where it lies; a copy of one whose steps lie apart is kept."""
    theirs, ours = pair("GRU", 4, 5)
    values = torch.randn(6, 3, 4)
    found = []
    for module in (ours, theirs):
        x = values.transpose(0, 1).contiguous().transpose(0, 1) if turned else values.clone()
        loss = module(x)[0].pow(2).sum()
        del x
        spoiled = [torch.full((6, 3, 4), torch.nan) for _ in range(50)]
        found.append(torch.autograd.grad(loss, list(module.parameters())))
        del spoiled
    assert_close(*found)
    x = values.clone()
    loss = ours(x)[0].sum()
    x.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("change", ["hook", "mutation", "data"])
def test_an_input_that_is_another_by_the_backward_pass(cell, change):
    theirs, ours = pair(cell, 4, 5)
    found = []
    for module in (theirs, ours):
        torch.manual_seed(1)
        x = torch.randn(6, 3, 4)
        if change == "hook":  # which keeps its own copy
            with torch.autograd.graph.saved_tensors_hooks(torch.clone, lambda t: t):
                loss = module(x)[0].pow(2).sum()
            x.zero_()
        elif change == "data":
            loss = module(x)[0].pow(2).sum()
            x.data = x.clone()
        else:
            with torch.autograd.graph.allow_mutation_on_saved_tensors():
                loss = module(x)[0].pow(2).sum()
                x.add_(1)
                found.append(torch.autograd.grad(loss, list(module.parameters())))
            continue
        found.append(torch.autograd.grad(loss, list(module.parameters())))
    for expected, actual in zip(*found):
        assert_close(actual, expected, 1e-5)


def test_an_input_whose_memory_is_freed_is_refused():
    x = torch.randn(6, 3, 4)
    loss = quadgate.nn.GRU(4, 5)(x)[0].sum()
    x.untyped_storage().resize_(0)
    with pytest.raises(RuntimeError, match="expected the input's memory, found it freed"):
        loss.backward()


@pytest.mark.filterwarnings("ignore:quadgate leaves this")
@pytest.mark.parametrize("cell", CELLS)
def test_the_gradient_of_a_gradient(cell):
    found = []
    for module in reversed(pair(cell, 4, 6, num_layers=2)):
        torch.manual_seed(3)
        x = torch.randn(3, 2, 4, requires_grad=True)
        y = module(x * 2)[0]
        (d_x,) = torch.autograd.grad(y.sum(), x, create_graph=True)
        found.append(torch.autograd.grad(d_x.pow(2).sum() + y.sum(), list(module.parameters())))
    assert_close(*found)


def test_the_gradient_of_a_gradient_behind_dropout_is_refused():
    module = quadgate.nn.LSTM(4, 6, num_layers=2, dropout=0.5)
    x = torch.randn(3, 2, 4, requires_grad=True)
    (d_x,) = torch.autograd.grad(module(x)[0].sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="expected a layer without dropout"):
        (d_x.sum() + module.weight_hh_l0.sum()).backward()
