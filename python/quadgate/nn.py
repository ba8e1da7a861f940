"""torch.nn.LSTM, GRU and RNN with quadgate's kernels.

They are subclasses of torch's that differ in nothing but what computes: the same constructor,
parameters, results and errors. What quadgate does not compute goes to torch's own kernels, with one
warning that says why.
"""

from __future__ import annotations

import types
from typing import Any

from ._extras import require

require("quadgate.nn", "torch", "torch")

import torch
from torch.nn.modules import rnn as _torch

from . import _functions

__all__ = ["GRU", "LSTM", "RNN"]


def _with_our_kernels(forward: Any) -> Any:
    """torch's own method, which checks and arranges its arguments, with our functions in the place of
    torch._VF's."""
    names = vars(_torch) | {"_VF": _functions}
    del names["__name__"]  # by which torch.compile would look for _VF in torch's own module
    return types.FunctionType(forward.__code__, names, "forward", forward.__defaults__)


class LSTM(torch.nn.LSTM):
    """torch.nn.LSTM with quadgate's kernels.

    Args: as torch.nn.LSTM.

    `forward(input, hx=None)` takes input [T, N, I], [N, T, I] with batch_first, [T, I] or a
    PackedSequence, and hx, (h_0 [D * num_layers, N, H_out], c_0 [D * num_layers, N, H]), and returns
    output [T, N, D * H_out] and (h_n, c_n).
    """

    forward = _with_our_kernels(torch.nn.LSTM.forward)


class GRU(torch.nn.GRU):
    """torch.nn.GRU with quadgate's kernels.

    Args: as torch.nn.GRU.

    `forward(input, hx=None)` takes input [T, N, I], [N, T, I] with batch_first, [T, I] or a
    PackedSequence, and hx, h_0 [D * num_layers, N, H], and returns output [T, N, D * H] and h_n.
    """

    forward = _with_our_kernels(torch.nn.GRU.forward)


class RNN(torch.nn.RNN):
    """torch.nn.RNN with quadgate's kernels, of either nonlinearity.

    Args: as torch.nn.RNN.

    `forward(input, hx=None)` takes input [T, N, I], [N, T, I] with batch_first, [T, I] or a
    PackedSequence, and hx, h_0 [D * num_layers, N, H], and returns output [T, N, D * H] and h_n.
    """

    forward = _with_our_kernels(torch.nn.RNN.forward)
