"""torch._VF.lstm, gru, rnn_tanh and rnn_relu with quadgate's kernels: the same arguments and results.

What quadgate does not compute goes to torch's function of the same name.
"""

# What torch's own modules call it does not publish.
# pyright: reportPrivateUsage=false, reportPrivateImportUsage=false, reportAttributeAccessIssue=false

from __future__ import annotations

from typing import Any

import torch

from ._autograd import Call, compute, warn


def _parse(cell: str, arguments: tuple[Any, ...]) -> Call:
    x, second, *rest = arguments
    packed = not isinstance(rest[0], list)
    if not packed:  # x, states, weights, ...
        batch_sizes, states, weights, rest = None, second, rest[0], rest[1:]
    else:
        batch_sizes, states, weights, rest = second, rest[0], rest[1], [*rest[2:], False]
    return Call(
        cell, x, batch_sizes, tuple(states) if cell == "lstm" else (states,), weights, *rest
    )


def _is_well_formed(call: Call) -> bool:
    """Whether all shapes fit each other, and there is something to compute. Else torch says what is
    wrong, in its own words."""
    packed = call.batch_sizes is not None
    if call.x.dim() != (2 if packed else 3) or any(s.dim() != 3 for s in call.states):
        return False
    if call.x.numel() == 0 or call.seq_len == 0 or call.batch == 0:
        return False
    hidden_size, h_size = call.states[-1].size(2), call.states[0].size(2)
    rows = (call.num_layers * call.directions, call.batch)
    if any(tuple(s.shape[:2]) != rows for s in call.states):
        return False
    gates = {"lstm": 4, "gru": 3}.get(call.cell, 1) * hidden_size
    shapes: list[tuple[int, ...]] = []
    for layer in range(call.num_layers):
        width = call.x.size(-1) if layer == 0 else call.directions * h_size
        one: list[tuple[int, ...]] = [(gates, width), (gates, h_size)]
        if call.bias:
            one += [(gates,), (gates,)]
        if h_size != hidden_size:
            one.append((h_size, hidden_size))
        shapes += one * call.directions
    return [tuple(w.shape) for w in call.weights] == shapes


def _check_width(call: Call) -> None:
    """torch does not look at that of packed sequences, and 2.13 may go on with other numbers."""
    x, weight = call.x, call.weights[0]
    if call.batch_sizes is not None and weight is not None and x.size(-1) != weight.size(1):
        raise RuntimeError(
            f"input.size(-1) must be equal to input_size. Expected {weight.size(1)}, "
            f"got {x.size(-1)}"
        )


def _why_not(call: Call, bf16: bool) -> str | None:
    """Why quadgate does not compute a call; None if it does."""
    tensors = (call.x, *call.states, *call.weights)
    if torch.jit.is_tracing():
        return "torch.jit.trace records torch's own operations"
    if torch._C._functorch.peek_interpreter_stack() is not None:
        return "torch.func transforms torch's own operations"
    if torch.autograd.forward_ad._current_level >= 0:
        return "forward-mode differentiation"
    for tensor in tensors:
        if type(tensor) not in (torch.Tensor, torch.nn.Parameter):
            return f"a {type(tensor).__name__}"
        if tensor.device.type != "cpu":
            return f"a tensor on {tensor.device}"
        if tensor.layout != torch.strided:
            return f"a tensor of layout {tensor.layout}"
        if tensor.dtype != torch.float32 and not (bf16 and tensor.dtype == torch.bfloat16):
            return f"a tensor of {tensor.dtype}"
    if call.drops and call.dropout == 1:
        return "dropout=1"
    return None


def _call(cell: str, arguments: tuple[Any, ...]) -> tuple[torch.Tensor, ...]:
    if torch.compiler.is_compiling():
        return getattr(torch._VF, cell)(*arguments)
    call = _parse(cell, arguments)
    bf16 = torch.is_autocast_enabled("cpu") and torch.get_autocast_dtype("cpu") == torch.bfloat16
    if any(w is None for w in call.weights) or not _is_well_formed(call):
        _check_width(call)
        return getattr(torch._VF, cell)(*arguments)
    reason = _why_not(call, bf16)
    if reason is not None:
        warn(reason)
        return getattr(torch._VF, cell)(*arguments)
    return _autocast(call) if bf16 else compute(call, bf16=False)


def _autocast(call: Call) -> tuple[torch.Tensor, ...]:
    """Computes in bf16, and rounds what torch rounds: what comes out of a product, but not what its
    cells add to a state."""
    as_states = torch.result_type(call.x, call.states[0])
    dtypes = [torch.bfloat16] * 3
    if call.proj_size > 0:
        dtypes[2] = as_states
    elif call.cell == "gru" or (call.cell == "lstm" and call.batch_sizes is not None):
        dtypes = [as_states] * 3
    call = call._replace(
        x=call.x.float(),
        states=tuple(s.float() for s in call.states),
        weights=[w.float() for w in call.weights],
    )
    results = compute(call, bf16=True)
    return tuple(r.to(dtype) for r, dtype in zip(results, dtypes))


def lstm(*arguments: Any) -> tuple[torch.Tensor, ...]:
    return _call("lstm", arguments)


def gru(*arguments: Any) -> tuple[torch.Tensor, ...]:
    return _call("gru", arguments)


def rnn_tanh(*arguments: Any) -> tuple[torch.Tensor, ...]:
    return _call("rnn_tanh", arguments)


def rnn_relu(*arguments: Any) -> tuple[torch.Tensor, ...]:
    return _call("rnn_relu", arguments)
