"""Modules of torch beside ours, and what they give."""

import torch
from torch.nn.utils.rnn import PackedSequence

import quadgate.nn

CELLS = ("LSTM", "GRU", "RNN")
torch.set_num_threads(1)  # but where it matters: small passes of several cores wait for the busiest


def pair(cell, *sizes, **options):
    """torch's module and ours, with the same weights."""
    theirs = getattr(torch.nn, cell)(*sizes, **options)
    ours = getattr(quadgate.nn, cell)(*sizes, **options)
    ours.load_state_dict(theirs.state_dict())
    return theirs, ours


def tensors_of(result):
    """Every tensor of what a module returns."""
    if isinstance(result, PackedSequence):
        return [result.data]
    if isinstance(result, torch.Tensor):
        return [result]
    return [tensor for part in result for tensor in tensors_of(part)]


def assert_close(ours, theirs, tolerance=1e-5):
    ours, theirs = tensors_of(ours), tensors_of(theirs)
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs):
        assert a.shape == b.shape
        largest = max(1.0, b.detach().abs().max().item()) if b.numel() else 1.0
        assert (a.float() - b).abs().max().item() <= tolerance * largest


def gradients(module, results, inputs):
    """Of everything that goes in, for seeded random gradients of some of what comes out."""
    generator = torch.Generator().manual_seed(5)
    outputs = [r for r in tensors_of(results) if torch.rand((), generator=generator) < 0.8]
    outputs = outputs or tensors_of(results)[:1]
    d = [torch.randn(o.shape, generator=generator) for o in outputs]
    wanted = [*[t for t in inputs if t.requires_grad], *module.parameters()]
    return torch.autograd.grad(outputs, wanted, d)
