"""Recurrent beside torch.nn.LSTM, GRU and RNN: a seeded random sweep over cells, sizes, layers,
directions, projections, biases, lengths, states and precisions.

Compared are outputs, final states, the gradients of everything that goes in, and the weights after
5 steps of an optimizer (with an eps so large that gradients that are all but zero do not decide by
the sign of their rounding). f32: the largest difference, of the largest element, is at most 1e-5, after the
five steps 2e-4 of what they changed, since Adam and RMSprop divide gradients by their own size. bf16, beside PyTorch in f32: the norm of the differences is at
most 2e-2 of the array's, of gradients and what they change 6e-2, where sums cancel in the smallest
models (the median is 1e-3); gradients of relu are left out there, since units whose sums are all but zero are on or off by rounding.
"""

import json
import os
import random
import subprocess

import numpy
import pytest
import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

torch.set_num_threads(1)
CASES = 240
OPTIMIZERS = {
    "sgd": (torch.optim.SGD, {"lr": 1e-3, "momentum": 0.9}),
    "adam": (torch.optim.Adam, {"lr": 1e-2, "eps": 1e-2}),
    "adamw": (torch.optim.AdamW, {"lr": 1e-2, "eps": 1e-2}),
    "rmsprop": (torch.optim.RMSprop, {"lr": 1e-3, "eps": 1e-1, "momentum": 0.5}),
}


def make_case(number):
    rng = random.Random(number)
    cell = rng.choice(["lstm", "lstm", "gru", "rnn_tanh", "rnn_relu"])
    hidden_size = rng.choice([1, 3, 7, 8, 15, 16, 17, 31, 33, 40, 64, 65])
    case = {
        "cell": cell,
        "input_size": rng.choice([1, 2, 5, 8, 16, 17, 40]),
        "hidden_size": hidden_size,
        "num_layers": rng.choice([1, 1, 2, 3]),
        "bidirectional": rng.random() < 0.4,
        "proj_size": rng.randint(1, hidden_size - 1)
        if cell == "lstm" and hidden_size > 1 and rng.random() < 0.3
        else 0,
        "bias": rng.random() < 0.8,
        "batch_first": rng.random() < 0.5,
        "precision": "bf16" if rng.random() < 0.25 else "f32",
        "threads": rng.choice([1, 2, 3]),
        "seq_len": rng.choice([1, 2, 3, 5, 9, 12]),
        "batch": rng.choice([1, 2, 3, 5, 8, 13]),
        "states": rng.random() < 0.6,
        "optimizer": rng.choice(list(OPTIMIZERS)),
    }
    lengths = []
    if rng.random() < 0.5:
        lengths = [rng.randint(1, case["seq_len"]) for _ in range(case["batch"])]
        lengths[rng.randrange(case["batch"])] = case["seq_len"]
    settings = {"momentum": 0, "eps": 1e-8} | OPTIMIZERS[case["optimizer"]][1]
    return case | {"lengths": lengths} | settings


def make_module(case):
    names = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU}
    more = {"proj_size": case["proj_size"]} if case["cell"] == "lstm" else {}
    if case["cell"].startswith("rnn_"):
        more["nonlinearity"] = case["cell"].removeprefix("rnn_")
    return names.get(case["cell"], torch.nn.RNN)(
        case["input_size"], case["hidden_size"], case["num_layers"], bias=case["bias"],
        batch_first=case["batch_first"], bidirectional=case["bidirectional"], **more)


def in_layout(case, size):
    n, t = case["batch"], case["seq_len"]
    return torch.randn((n, t, size) if case["batch_first"] else (t, n, size))


def reference(case, rnn, x, d_output, states, d_states):
    """What PyTorch makes of it, under the probe's names."""
    is_lstm = case["cell"] == "lstm"
    leaves = [tensor.clone().requires_grad_() for tensor in (x, *states)]
    kind, settings = OPTIMIZERS[case["optimizer"]]
    optimizer = kind(rnn.parameters(), **settings)
    found = {}
    for step in range(5):
        optimizer.zero_grad()
        given = tuple(leaves[1:]) if is_lstm else leaves[1]
        data = leaves[0]
        if case["lengths"]:
            data = pack_padded_sequence(data, torch.tensor(case["lengths"]),
                                        batch_first=case["batch_first"], enforce_sorted=False)
        output, final = rnn(data, given if case["states"] else None)
        if case["lengths"]:
            output, _ = pad_packed_sequence(output, batch_first=case["batch_first"])
        final = final if is_lstm else (final,)
        loss = (output * d_output).sum()
        if case["states"]:
            loss = loss + sum((a * b).sum() for a, b in zip(final, d_states))
        for leaf in leaves:
            leaf.grad = None
        loss.backward()
        if step == 0:
            found |= {"output": output, "h_n": final[0], "d_input": leaves[0].grad}
            if is_lstm:
                found["c_n"] = final[1]
            if case["states"]:
                found["d_h_0"] = leaves[1].grad
                if is_lstm:
                    found["d_c_0"] = leaves[2].grad
            found |= {f"d_{name}": p.grad.clone() for name, p in rnn.named_parameters()}
        optimizer.step()
    return found | dict(rnn.named_parameters())


def ask(probe, case, arrays):
    probe.stdin.write(json.dumps(case).encode() + b"\n")
    for array in arrays:
        probe.stdin.write(array.detach().numpy().astype(numpy.float32).tobytes())
    probe.stdin.flush()
    sizes = json.loads(probe.stdout.readline())
    return {name: numpy.frombuffer(probe.stdout.read(4 * size), numpy.float32)
            for name, size in sizes}


@pytest.fixture(scope="module")
def probe():
    with subprocess.Popen([os.environ["QUADGATE_RECURRENT_PROBE"]], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as process:
        yield process


def tolerance(case, name):
    if case["precision"] == "bf16":
        return 2e-2 if name in ("output", "h_n", "c_n") else 6e-2
    return 2e-4 if name.startswith(("weight", "bias")) else 1e-5


@pytest.mark.parametrize("number", range(CASES))
def test_has_the_numbers_of_pytorch(probe, number):
    case = make_case(number)
    torch.manual_seed(number)
    rnn = make_module(case)
    x = in_layout(case, case["input_size"])
    features = (case["proj_size"] or case["hidden_size"]) * (1 + case["bidirectional"])
    d_output = in_layout(case, features)
    parts = case["num_layers"] * (1 + case["bidirectional"])
    sizes = [case["proj_size"] or case["hidden_size"]]
    sizes += [case["hidden_size"]] if case["cell"] == "lstm" else []
    states, d_states = ([torch.randn(parts, case["batch"], size) for size in sizes]
                        for _ in range(2))
    case |= {"x": x.numel(), "d_output": d_output.numel(), "h": states[0].numel(),
             "c": states[1].numel() if len(states) > 1 else 0}
    before = {name: p.detach().clone() for name, p in rnn.named_parameters()}
    found = ask(probe, case, [*before.values(), x, d_output, *states, *d_states])
    only_forward = case["precision"] == "bf16" and case["cell"] == "rnn_relu"
    for name, tensor in reference(case, rnn, x, d_output, states, d_states).items():
        if only_forward and name not in ("output", "h_n"):
            continue
        expected = tensor.detach().numpy().ravel()
        size = numpy.linalg.norm if case["precision"] == "bf16" else lambda a: numpy.abs(a).max()
        scale = size(expected)
        if name in before:
            scale = size(expected - before[name].numpy().ravel())
        error = size(found[name] - expected)
        assert error <= tolerance(case, name) * scale, f"{name}: {error} of {scale}, in {case}"
