"""The engines of quadgate.nn: how many there are of the modules of a model, and when they go."""

import gc
import weakref

import pytest
import torch
from modules import assert_close, pair

import quadgate.nn
from quadgate import _engine, _pool

LONG = (10, 60, 3)  # steps enough to share engines in a forward pass, too


@pytest.fixture
def engines(monkeypatch):
    """Those planned in a test that are alive."""
    alive = weakref.WeakSet()

    class Engine(_engine.Engine):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            alive.add(self)

    monkeypatch.setattr(_pool, "Engine", Engine)
    return alive


def train(module, x):
    y = module(x)[0]
    return [y, *torch.autograd.grad(y.pow(2).sum(), list(module.parameters()))]


def infer(module, x):
    with torch.inference_mode():
        return module(x)[0]


@pytest.mark.parametrize("run", [train, infer])
def test_modules_in_turn_share_an_engine(engines, run):
    x = torch.randn(LONG)
    pairs = [pair("LSTM", 3, 5) for _ in range(4)]
    for theirs, ours in pairs * 2:
        assert_close(run(ours, x), run(theirs, x))
    assert len(engines) == 1


def test_passes_at_once_have_engines_of_their_own(engines):
    """A stack, of which each module gets the engine back that has its weights."""
    stacks = [torch.nn.ModuleList(stack) for stack in zip(*(pair("GRU", 3, 3) for _ in range(6)))]
    for number in range(3):
        found, x = [], torch.randn(LONG)
        for stack in stacks:
            y = x
            for module in stack:
                y = module(y)[0]
            found.append(torch.autograd.grad(y.sum(), list(stack.parameters())))
        assert_close(*found)
        if number == 0:
            planned = set(map(id, engines))
    assert len(engines) == 6 and set(map(id, engines)) == planned


def test_modules_that_infer_few_steps_keep_the_weights_that_they_have_packed(engines):
    modules = [quadgate.nn.LSTM(3, 5) for _ in range(4)]
    for module in modules * 2:
        infer(module, torch.randn(1, 1, 3))
    assert len(engines) == 4


def test_engines_grow_and_do_not_pile_up(engines):
    modules = [quadgate.nn.LSTM(3, 5) for _ in range(4)]
    for seq_len in range(1, 40):
        for module in modules:
            train(module, torch.randn(seq_len, 2, 3))
            assert len(engines) == 1
    other = quadgate.nn.LSTM(3, 7)
    for seq_len in range(1, 40):  # none of which has room for another
        train(other, torch.randn(seq_len, 50 - seq_len, 3))
    assert len(engines) == 1 + _pool._MOST_PASSES
    others = [quadgate.nn.LSTM(3, 8) for _ in range(6)]
    for seq_len in range(1, 40):
        for module in others:
            train(module, torch.randn(seq_len, 50 - seq_len, 3))
    assert len(engines) == 1 + 2 * _pool._MOST_PASSES


def test_weights_that_are_slices_of_one_array_do_not_keep_engines(engines):
    """As those of a population in evolution strategies are."""
    module, weights = quadgate.nn.LSTM(3, 5), torch.randn(40, 20, 3)
    for weight in weights:
        with torch.no_grad():
            torch.func.functional_call(module, {"weight_ih_l0": weight}, (torch.randn(2, 1, 3),))
    assert 0 < len(engines) <= _pool._MOST_PASSES


def test_engines_go_with_the_last_module_that_has_them(engines):
    modules = [quadgate.nn.LSTM(3, 5) for _ in range(2)]
    for module in modules:
        train(module, torch.randn(LONG))
        infer(module, torch.randn(1, 1, 3))
    assert len(engines) == 3
    del module
    for left in (2, 0):
        modules.pop()
        gc.collect()
        assert len(engines) == left


def test_engines_do_not_keep_torch_from_swapping_parameters(engines):
    module = quadgate.nn.LSTM(3, 5)
    train(module, torch.randn(LONG))
    torch.__future__.set_swap_module_params_on_conversion(True)
    try:
        module.double().float()
    finally:
        torch.__future__.set_swap_module_params_on_conversion(False)
    gc.collect()
    assert len(engines) == 0


def test_weights_that_share_memory_are_of_modules_of_their_own():
    """Of either module, one pass for each engine waits."""
    stack = torch.nn.Sequential(*(quadgate.nn.LSTM(3, 5) for _ in range(2)))
    torch.nn.utils.vector_to_parameters(torch.linspace(-1, 1, 400), stack.parameters())
    first, second = (_pool.passes_of(module.weight_ih_l0) for module in stack)
    assert first is not second and first is _pool.passes_of(stack[0].weight_ih_l0)
