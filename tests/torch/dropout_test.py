"""Recurrent with dropout of input, layers, output and W_hh, locked or not, beside layers of
torch.nn.LSTM, GRU and RNN with the same masks: a seeded random sweep over cells, sizes, layers,
directions, projections and lengths. The masks come from Philox4x32-10 (Salmon et al. 2011), here in
numpy. The largest difference, of the largest element, is at most 1e-5.
"""

import numpy
import pytest
import torch
from torch.func import functional_call
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from recurrent_test import ask, make_case, make_module, probe  # noqa: F401 (probe is a fixture)

CASES = 60
FEATURES, WEIGHTS = 1, 6  # RandomUse of engine/base/random.h


def philox(key, counters):
    """The words [n, 4] of counters [n, 4]."""
    words = [counters[:, i].astype(numpy.uint64) for i in range(4)]
    low = numpy.uint64(0xFFFFFFFF)
    key = [key & 0xFFFFFFFF, key >> 32]
    for _ in range(10):
        product0 = numpy.uint64(0xD2511F53) * words[0]
        product1 = numpy.uint64(0xCD9E8D57) * words[2]
        half = numpy.uint64(32)
        words = [(product1 >> half) ^ words[1] ^ numpy.uint64(key[0]), product1 & low,
                 (product0 >> half) ^ words[3] ^ numpy.uint64(key[1]), product0 & low]
        key = [(key[0] + 0x9E3779B9) & 0xFFFFFFFF, (key[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return numpy.stack(words, axis=1)


def factors(case, p, use, place, row, t, size):
    """What dropout with probability p multiplies `size` values with."""
    blocks = (size + 3) // 4
    counters = numpy.zeros((blocks, 4), numpy.int64)
    counters[:] = [use | place << 8, case["step"], row, t * blocks]
    counters[:, 3] += numpy.arange(blocks)
    unit = (philox(case["seed"], counters) >> numpy.uint64(8)).ravel()[:size] * 2.0**-24
    return torch.tensor(numpy.where(unit >= p, 1 / (1 - p), 0), dtype=torch.float32)


def drop(case, p, place, values):
    """Of [T, N, features]; place l is what goes into layer l, or, after the last, comes out."""
    masks = [[factors(case, p, FEATURES, place, row, 0 if case["locked_dropout"] else t,
                      values.shape[2]) for row in range(values.shape[1])]
             for t in range(values.shape[0])]
    return values * torch.stack([torch.stack(rows) for rows in masks])


def drop_weight(case, place, weight):
    rows = [factors(case, case["weight_dropout"], WEIGHTS, place, row, 0, weight.shape[1])
            for row in range(weight.shape[0])]
    return weight * torch.stack(rows)


def run_layer(case, rnn, layer, x):
    """One layer of `rnn` as a module of its own, over its weights."""
    size = {"num_layers": 1, "input_size": x.shape[2], "batch_first": False}
    module = make_module(case | size)
    weights = {}
    for name, _ in module.named_parameters():
        weights[name] = getattr(rnn, name.replace("_l0", f"_l{layer}"))
        if name.startswith("weight_hh"):
            place = 2 * layer + name.endswith("_reverse")
            weights[name] = drop_weight(case, place, weights[name])
    lengths = case["lengths"] or [case["seq_len"]] * case["batch"]
    packed = pack_padded_sequence(x, torch.tensor(lengths), enforce_sorted=False)
    output, _ = functional_call(module, weights, (packed,))
    return pad_packed_sequence(output, total_length=case["seq_len"])[0]


def reference(case, rnn, x, d_output):
    x = x.clone().requires_grad_()
    y = drop(case, case["input_dropout"], 0, x)
    for layer in range(case["num_layers"]):
        y = run_layer(case, rnn, layer, y)
        last = layer + 1 == case["num_layers"]
        y = drop(case, case["output_dropout"] if last else case["dropout"], layer + 1, y)
    (y * d_output).sum().backward()
    found = {f"d_{name}": p.grad for name, p in rnn.named_parameters()}
    return found | {"output": y, "d_input": x.grad}


@pytest.mark.parametrize("number", range(CASES))
def test_has_the_numbers_of_pytorch_with_the_same_masks(probe, number):  # noqa: F811
    case = make_case(number) | {
        "batch_first": False, "precision": "f32", "states": False, "seed": 2**40 + number,
        "step": number, "dropout": 0.3, "input_dropout": 0.2, "output_dropout": 0.4,
        "weight_dropout": 0.5, "locked_dropout": number % 2 == 1}
    torch.manual_seed(number)
    rnn = make_module(case)
    x = torch.randn(case["seq_len"], case["batch"], case["input_size"])
    features = (case["proj_size"] or case["hidden_size"]) * (1 + case["bidirectional"])
    d_output = torch.randn(case["seq_len"], case["batch"], features)
    case |= {"x": x.numel(), "d_output": d_output.numel(), "h": 0, "c": 0}
    found = ask(probe, case, [*rnn.parameters(), x, d_output])
    for name, tensor in reference(case, rnn, x, d_output).items():
        expected = tensor.detach().numpy().ravel()
        error = numpy.abs(found[name] - expected).max()
        assert error <= 1e-5 * numpy.abs(expected).max(), f"{name}: {error}, in {case}"
