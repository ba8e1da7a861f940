"""quadgate.nn beside torch.nn: 1,000 seeded random configurations, batches of all sizes, and torch's own cases.

Tolerance: 1e-5 of the largest element of each array, of outputs, final states and all gradients, or 1e-5 where
all are smaller than 1.
"""

import random

import pytest
import torch
from modules import CELLS, assert_close, gradients, pair, tensors_of
from torch.nn.utils.rnn import PackedSequence, pack_sequence


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
                expected = theirs(*call.args, **call.kwargs)
                found = ours(*call.args, **call.kwargs)
                assert_close(found, expected)
                inputs = [t for t in tensors_of(call.args) if t.requires_grad]
                assert_close(gradients(ours, found, inputs), gradients(theirs, expected, inputs))
                count += 1
    assert count > 50
