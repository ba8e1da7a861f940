"""quadgate.nn beside torch.nn: 1,000 seeded random configurations, and what a script does with modules.

Tolerance: 1e-5 of the largest element of each array, of outputs, final states and all gradients, or 1e-5 where
all are smaller than 1; under autocast 2e-2 of it, beside torch in f32.
"""

import copy
import gc
import io
import os
import pickle
import random
import subprocess
import sys
import threading
import warnings

import pytest
import torch
import torch.fx.experimental.proxy_tensor
from modules import CELLS, assert_close, pair, tensors_of
from torch.nn.utils.rnn import PackedSequence, pack_sequence

import quadgate.nn
from quadgate import _autograd, _functions, _pool


def gradients(module, results, inputs):
    """Of everything that goes in, for seeded random gradients of some of what comes out."""
    generator = torch.Generator().manual_seed(5)
    outputs = [r for r in tensors_of(results) if torch.rand((), generator=generator) < 0.8]
    outputs = outputs or tensors_of(results)[:1]
    d = [torch.randn(o.shape, generator=generator) for o in outputs]
    wanted = [*[t for t in inputs if t.requires_grad], *module.parameters()]
    return torch.autograd.grad(outputs, wanted, d)


def random_case(number):
    """A cell with its options, its input and its states, or None."""
    rng = random.Random(number)
    torch.manual_seed(number)
    cell = rng.choice(["LSTM", "LSTM", "GRU", "RNN"])
    hidden_size = rng.choice([1, 3, 7, 8, 15, 16, 17, 33, 40])
    options = {
        "num_layers": rng.choice([1, 1, 2, 3]),
        "bias": rng.random() < 0.8,
        "batch_first": rng.random() < 0.5,
        "bidirectional": rng.random() < 0.4,
    }
    if cell == "LSTM" and hidden_size > 1 and rng.random() < 0.3:
        options["proj_size"] = rng.randint(1, hidden_size - 1)
    if cell == "RNN":
        options["nonlinearity"] = rng.choice(["tanh", "relu"])
    input_size, seq_len, batch = rng.choice([1, 2, 5, 8, 17]), rng.randint(1, 12), rng.randint(1, 9)
    kind = rng.choice(["padded", "padded", "unbatched", "packed", "packed"])
    if kind == "packed":
        rows = [torch.randn(rng.randint(1, seq_len), input_size) for _ in range(batch)]
        x = pack_sequence(rows, enforce_sorted=False)
        if rng.random() < 0.5:  # sorted by the caller: there are no indices
            x = pack_sequence(sorted(rows, key=len, reverse=True))
    else:
        shape = (batch, seq_len) if options["batch_first"] else (seq_len, batch)
        x = torch.randn(*shape, input_size)
        if rng.random() < 0.3:
            x = x.transpose(0, 1).contiguous().transpose(0, 1)
        if kind == "unbatched":
            x = x[0] if options["batch_first"] else x[:, 0]
    states = None
    if rng.random() < 0.6:
        parts = options["num_layers"] * (2 if options["bidirectional"] else 1)
        rows = () if kind == "unbatched" else (batch,)
        h = torch.randn(parts, *rows, options.get("proj_size", hidden_size))
        states = (h, torch.randn(parts, *rows, hidden_size)) if cell == "LSTM" else h
    return cell, (input_size, hidden_size), options, x, states, rng.random() < 0.7


@pytest.mark.parametrize("hundred", range(10))
def test_random_configurations(hundred):
    for number in range(100 * hundred, 100 * hundred + 100):
        cell, sizes, options, x, states, differentiates_x = random_case(number)
        theirs, ours = pair(cell, *sizes, **options)
        inputs = [*tensors_of(x), *([] if states is None else tensors_of(states))]
        if differentiates_x:
            for tensor in inputs:
                tensor.requires_grad_()
            x = x._replace(data=inputs[0]) if isinstance(x, PackedSequence) else x
        expected, found = theirs(x, states), ours(x, states)
        assert_close(found, expected)
        assert_close(gradients(ours, found, inputs), gradients(theirs, expected, inputs))
        with torch.inference_mode():
            assert_close(ours(x, states), expected)


@pytest.mark.parametrize("cell", CELLS)
def test_batches_of_all_sizes_through_one_module(cell):
    theirs, ours = pair(cell, 3, 17, num_layers=2, bidirectional=True)
    rng = random.Random(1)
    for number in range(40):
        rows = [torch.randn(rng.randint(1, 9), 3) for _ in range(rng.randint(1, 6))]
        x = pack_sequence(rows, enforce_sorted=False) if number % 2 else torch.randn(len(rows[0]), len(rows), 3)
        expected, found = theirs(x), ours(x)
        assert_close(found, expected)
        assert_close(gradients(ours, found, []), gradients(theirs, expected, []))
        with torch.no_grad():
            assert_close(ours(x), expected)


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


def test_bad_input_is_refused_in_torchs_words():
    h = torch.randn(1, 3, 6)
    bad = {
        "input_size": (torch.randn(5, 3, 5),),
        "dtype": (torch.randn(5, 3, 4).double(),),
        "dimensions": (torch.randn(5, 3, 4, 1),),
        "no steps": (torch.randn(0, 3, 4),),
        "rows of h": (torch.randn(5, 3, 4), (h[:, :2], h)),
        "rows of c": (torch.randn(5, 3, 4), (h, h[:, :2])),
        "dimensions of h": (torch.randn(5, 3, 4), (h[0], h[0])),
        "states of an unbatched input": (torch.randn(5, 4), (h, h)),
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


def test_nan_passes_through():
    theirs, ours = pair("LSTM", 2, 3)
    x = torch.randn(4, 2, 2)
    x[1, 0, 0] = torch.nan
    assert torch.equal(ours(x)[0].isnan(), theirs(x)[0].isnan())


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
    assert_close(torch.compile(ours, backend="eager")(x), theirs(x))
    assert_close(*(torch.func.grad(lambda z, m=m: m(z)[0].sum())(x) for m in (ours, theirs)))
    theirs, ours = pair("LSTM", 4, 6, num_layers=2, dropout=1.0)
    assert_close(ours(x), theirs(x))


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


@pytest.mark.parametrize(
    ("cell", "options"),
    [
        *((cell, options) for cell in CELLS for options in ({}, {"batch_first": True})),
        ("LSTM", {"proj_size": 9}),
    ],
)
def test_autocast(cell, options):
    theirs, ours = pair(cell, 24, 32, num_layers=2, **options)
    packed = pack_sequence([torch.randn(n, 24) for n in (3, 7, 1, 7)], enforce_sorted=False)
    for x in (torch.randn(6, 5, 24), packed):
        expected = theirs(x)
        with torch.autocast("cpu", torch.bfloat16):
            found = ours(x)
        assert_close(found, expected, 2e-2)
        assert not torch.equal(tensors_of(found)[0].float(), tensors_of(ours(x))[0])
        found, expected = (
            gradients(module, [r.float() for r in tensors_of(result)], [])
            for module, result in ((ours, found), (theirs, expected))
        )
        for a, b in zip(found, expected):
            assert a.dtype == torch.float32 and (a - b).norm() <= 3e-2 * b.norm()


def test_autocast_gives_torchs_types():
    x = torch.randn(3, 2, 8)
    packed = pack_sequence([torch.randn(n, 8) for n in (3, 2)])
    for cell, options in [("LSTM", {}), ("LSTM", {"proj_size": 3}), ("GRU", {}), ("RNN", {})]:
        for argument in (x, packed):
            with torch.autocast("cpu", torch.bfloat16):
                theirs, ours = pair(cell, 8, 8, **options)
                try:
                    expected = theirs(argument)
                except RuntimeError:  # without AVX-512 torch has no LSTM in bf16
                    continue
                found = ours(argument)
            assert [t.dtype for t in tensors_of(found)] == [t.dtype for t in tensors_of(expected)]


def test_threads_may_compute_at_once_and_their_number_may_change():
    module = quadgate.nn.LSTM(32, 64, num_layers=2)
    x = torch.randn(20, 16, 32)

    def run():
        y, (h_n, _) = module(x)
        return [y, h_n, *torch.autograd.grad(y.sum() + h_n.sum(), list(module.parameters()))]

    before = torch.get_num_threads()
    expected, results = run(), [None] * 6
    try:
        for number in (1, 2, 3):
            torch.set_num_threads(number)
            assert all(torch.equal(a, b) for a, b in zip(run(), expected))

        def work(i):
            for _ in range(5):
                results[i] = run()

        threads = [threading.Thread(target=work, args=(i,)) for i in range(len(results))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(a, b) for result in results for a, b in zip(result, expected))


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


def test_engines_go_with_their_module():
    gc.collect()
    before = len(_pool._pools)
    module = quadgate.nn.LSTM(3, 5)
    module(torch.randn(4, 2, 3))[0].sum().backward()
    assert len(_pool._pools) == before + 1
    del module
    gc.collect()
    assert len(_pool._pools) == before


def test_torchs_own_cases():
    """What torch gives its own modules to compute."""
    common = pytest.importorskip("torch.testing._internal.common_modules")
    count = 0
    for info in common.module_db:
        if info.module_cls not in (torch.nn.LSTM, torch.nn.GRU, torch.nn.RNN):
            continue
        for training in (True, False):
            for case in info.module_inputs_func(
                info, device="cpu", dtype=torch.float32, requires_grad=True, training=training
            ):
                make, call = case.constructor_input, case.forward_input
                theirs, ours = pair(info.module_cls.__name__, *make.args, **make.kwargs)
                assert_close(ours(*call.args, **call.kwargs), theirs(*call.args, **call.kwargs))
                count += 1
    assert count > 50


def test_importing_the_package_does_not_import_torch():
    code = "import sys, quadgate; sys.exit('torch' in sys.modules or 'h5py' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], env=os.environ).returncode == 0
