"""quadgate.nn under autocast to bf16, beside torch in f32: outputs to 2e-2 of the largest element, gradients to 3e-2
of their norm."""

import pytest
import torch
from modules import CELLS, assert_close, gradients, pair, tensors_of
from torch.nn.utils.rnn import pack_sequence


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


@pytest.mark.parametrize("dtype", [None, torch.float32, torch.bfloat16])
def test_autocast_gives_torchs_types(dtype):
    """Also with states of another type than the input."""
    x = torch.randn(3, 2, 8)
    packed = pack_sequence([torch.randn(n, 8) for n in (3, 2)])
    for cell, options in [("LSTM", {}), ("LSTM", {"proj_size": 3}), ("GRU", {}), ("RNN", {})]:
        states = [torch.zeros(1, 2, n, dtype=dtype) for n in (options.get("proj_size", 8), 8)]
        states = None if dtype is None else tuple(states) if cell == "LSTM" else states[0]
        for argument in (x, packed):
            with torch.autocast("cpu", torch.bfloat16):
                theirs, ours = pair(cell, 8, 8, **options)
                try:
                    expected = theirs(argument, states)
                except RuntimeError:  # without AVX-512 torch has no LSTM in bf16
                    continue
                found = ours(argument, states)
            assert [t.dtype for t in tensors_of(found)] == [t.dtype for t in tensors_of(expected)]
