"""What a script does with modules of quadgate.nn, beside torch.nn's: to 1e-5 where modules.py says nothing else."""

import copy
import io
import os
import pickle
import subprocess
import sys
import threading

import pytest
import torch
from modules import CELLS, assert_close, pair, tensors_of

import quadgate.nn
from quadgate import _autograd, _functions


def test_modules_are_torchs_and_look_like_them():
    for cell in CELLS:
        theirs, ours = pair(cell, 3, 4, num_layers=2, bidirectional=True)
        assert isinstance(ours, type(theirs)) and repr(ours) == repr(theirs)
        assert ours.state_dict().keys() == theirs.state_dict().keys()
        theirs.load_state_dict(ours.state_dict())


@pytest.mark.parametrize("cell", CELLS)
def test_copies_and_files_of_modules(cell):
    _, ours = pair(cell, 3, 5)
    x = torch.randn(4, 2, 3)
    expected = ours(x)[0]
    expected.sum().backward()
    file = io.BytesIO()
    torch.save(ours, file)
    file.seek(0)
    for other in (
        copy.deepcopy(ours),
        pickle.loads(pickle.dumps(ours)),
        torch.load(file, weights_only=False),
    ):
        assert type(other) is type(ours)
        assert torch.equal(other(x)[0], expected)


@pytest.mark.filterwarnings("ignore:quadgate leaves this")
def test_what_was_found_good_is_looked_at_again():
    """One module, of which shapes, dtypes, flags and modes change from call to call, and a copy of it."""
    theirs, ours = pair("LSTM", 3, 5, num_layers=2)
    x = torch.randn(4, 2, 3)

    def results(module, x, states):
        result = tensors_of(module(x, states))
        inputs = [t for t in (x, *(states or ()), *module.parameters()) if t.requires_grad]
        if result[0].requires_grad:
            result += torch.autograd.grad(sum(r.pow(2).sum() for r in result), inputs)
        return result

    def compare(x, states=None):
        expected, found = results(theirs, x, states), results(ours, x, states)
        assert_close(found, expected)
        assert [t.requires_grad for t in found] == [t.requires_grad for t in expected]

    def both(change):
        for module in (theirs, ours):
            change(module)

    compare(x)
    compare(torch.randn(7, 1, 3))
    h, c = torch.randn(2, 3, 5), torch.randn(2, 3, 5, requires_grad=True)
    compare(torch.randn(4, 3, 3, requires_grad=True), (h, c))
    with torch.no_grad():
        compare(x)
    with torch.inference_mode():
        compare(x)
    compare(x)
    both(lambda m: m.requires_grad_(False))
    compare(x)
    both(lambda m: m.weight_hh_l1.requires_grad_())
    compare(x)
    both(lambda m: m.requires_grad_().double())
    compare(x.double())
    both(lambda m: m.float())
    compare(x)
    with pytest.raises(ValueError, match="does not match weight dtype"):
        ours(x.double())
    with pytest.raises(RuntimeError, match="Expected 3, got 4"):
        ours(torch.randn(4, 2, 4))
    both(lambda m: setattr(m, "batch_first", True))
    compare(torch.randn(5, 6, 3))
    both(lambda m: setattr(m, "dropout", 0.5))
    both(lambda m: m.eval())
    compare(x)
    both(lambda m: m.train())
    assert not torch.equal(ours(x)[0], ours(x)[0])
    theirs, ours = copy.deepcopy(theirs).eval(), copy.deepcopy(ours).eval()
    compare(x)
    for module in (theirs, ours):  # other shapes behind the same Parameter objects
        module.weight_ih_l0.data, module.input_size = torch.ones(20, 6), 6
    compare(torch.randn(4, 2, 6))


def test_weights_of_other_shapes_are_not_ours():
    """PyTorch 2.13 does not refuse them all, so that nobody would see what the kernels read."""
    h, weights = torch.zeros(1, 2, 5), [torch.ones(20, 3), torch.ones(20, 5)]

    def sizes(weights):
        arguments = (torch.ones(4, 2, 3), (h, h), weights, False, 1, 0.0, True, False, False)
        return _functions._sizes_of(_functions._parse("lstm", arguments))

    assert sizes(weights).weights == ((20, 3), (20, 5))
    for wrong in (torch.ones(20, 4), torch.ones(19, 5), torch.ones(100), None):
        assert sizes([weights[0], wrong]) is None


def test_frozen_parameters_get_no_gradient():
    theirs, ours = pair("GRU", 3, 5)
    for module in (theirs, ours):
        module.weight_ih_l0.requires_grad_(False)
        module(torch.ones(4, 2, 3))[0].sum().backward()
    assert ours.weight_ih_l0.grad is None
    assert_close(ours.weight_hh_l0.grad, theirs.weight_hh_l0.grad)


def test_weights_that_are_computed():
    theirs, ours = (torch.nn.utils.weight_norm(m, "weight_hh_l0") for m in pair("LSTM", 3, 5))
    x = torch.randn(4, 2, 3)
    for module in (theirs, ours):
        module(x)[0].sum().backward()
    assert_close(ours.weight_hh_l0_v.grad, theirs.weight_hh_l0_v.grad)


def test_dropout_is_as_often_as_asked_and_torchs_seed_decides_it():
    """The second layer copies what the first gives: relu, W_ih = 1, W_hh = 0."""
    module = quadgate.nn.RNN(64, 64, num_layers=2, nonlinearity="relu", bias=False, dropout=0.3)
    with torch.no_grad():
        for name, weight in module.named_parameters():
            weight.copy_(torch.eye(64) if "ih" in name else torch.zeros(64, 64))
    x = torch.ones(50, 20, 64, requires_grad=True)
    torch.manual_seed(1)
    first = module(x)[0]
    assert {round(v, 4) for v in first.unique().tolist()} == {0.0, round(1 / 0.7, 4)}
    assert (first == 0).float().mean().item() == pytest.approx(0.3, abs=0.01)
    assert not torch.equal(first, module(x)[0])
    torch.manual_seed(1)
    assert torch.equal(first, module(x)[0])
    first.sum().backward()
    assert torch.equal(x.grad != 0, first != 0)  # the same mask
    assert torch.equal(module.eval()(x)[0], x)


def test_nothing_is_kept_where_nothing_is_differentiated(monkeypatch):
    plans, real = [], _autograd.Layers

    def plan(**fields):
        plans.append(real(**fields))
        return plans[-1]

    monkeypatch.setattr(_autograd, "Layers", plan)
    monkeypatch.delattr(_autograd, "_Layers")  # the operation that keeps what its backward pass needs
    module, x = quadgate.nn.LSTM(3, 5), torch.randn(4, 2, 3)
    for context in (torch.no_grad, torch.inference_mode):
        with context():
            module(x)
    module.requires_grad_(False)
    module(x)
    assert [p.forward_only for p in plans] == [True] * 3


def test_threads_may_compute_at_once_and_their_number_may_change():
    """With two modules of equal layers, which share what they compute with."""
    modules = [quadgate.nn.LSTM(32, 64, num_layers=2) for _ in range(2)]
    x = torch.randn(20, 16, 32)

    def run(module):
        y, (h_n, _) = module(x)
        return [y, h_n, *torch.autograd.grad(y.sum() + h_n.sum(), list(module.parameters()))]

    before = torch.get_num_threads()
    expected, results = [run(module) for module in modules], [None] * 6
    try:
        for number in (1, 2, 3):
            torch.set_num_threads(number)
            assert all(torch.equal(a, b) for a, b in zip(run(modules[0]), expected[0]))

        def work(i):
            for _ in range(5):
                results[i] = run(modules[i % 2])

        threads = [threading.Thread(target=work, args=(i,)) for i in range(len(results))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        torch.set_num_threads(before)
    for i, result in enumerate(results):
        assert all(torch.equal(a, b) for a, b in zip(result, expected[i % 2]))


class Sums(torch.utils.data.Dataset):
    """Each item comes out of a module, as features of a frozen encoder do."""

    def __init__(self):
        self.module = quadgate.nn.GRU(4, 64)
        self.module(torch.randn(30, 20, 4))[0].sum().backward()

    def __len__(self):
        return 6

    def __getitem__(self, i):
        with torch.no_grad():
            return self.module(torch.full((30, 20, 4), float(i)))[0].sum()


def test_workers_of_a_loader_may_compute():
    data = Sums()
    loader = torch.utils.data.DataLoader(data, num_workers=2, multiprocessing_context="fork")
    found = torch.cat(list(loader))
    assert_close(found, torch.stack([data[i] for i in range(6)]))


def test_importing_the_package_does_not_import_torch():
    code = "import sys, quadgate; sys.exit('torch' in sys.modules or 'h5py' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], env=os.environ).returncode == 0
