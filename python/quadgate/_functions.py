"""torch._VF.lstm, gru, rnn_tanh and rnn_relu with quadgate's kernels: the same arguments and results.

What quadgate does not compute goes to torch's function of the same name.
"""

# What torch's own modules call it does not publish.
# pyright: reportPrivateUsage=false, reportPrivateImportUsage=false, reportAttributeAccessIssue=false

from __future__ import annotations

import functools
from typing import Any

import torch

from ._autograd import Call, Sizes, compute, warn

_TENSORS = (torch.Tensor, torch.nn.Parameter)


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


def _sizes_of(call: Call) -> Sizes | None:
    """None if shapes do not fit each other, or there is nothing to compute. Then torch says what is
    wrong, in its own words."""
    packed = None
    batch_sizes: Any = call.batch_sizes
    if batch_sizes is not None:
        alive = batch_sizes.tolist()
        if batch_sizes.dtype is not torch.int64 or not _are_packed(alive, call.x):
            return None
        packed = (len(alive), alive[0])
    return _checked(
        call.cell,
        call.x.shape,
        packed,
        tuple([s.shape for s in call.states]),
        tuple([w.shape for w in call.weights if w is not None]),
        call.bias,
        call.num_layers,
        call.bidirectional,
        call.batch_first,
    )


def _are_packed(alive: list[int], x: torch.Tensor) -> bool:
    """Whether x can be the steps of sequences of which so many are alive at each step."""
    falls = alive == sorted(alive, reverse=True)
    return falls and len(alive) > 0 and alive[-1] > 0 and sum(alive) == x.size(0)


@functools.lru_cache(maxsize=1024)  # a tenth of the time
def _checked(
    cell: str,
    x: tuple[int, ...],
    packed: tuple[int, int] | None,
    states: tuple[tuple[int, ...], ...],
    weights: tuple[tuple[int, ...], ...],
    bias: bool,
    num_layers: int,
    bidirectional: bool,
    batch_first: bool,
) -> Sizes | None:
    """The sizes of a call, from the shapes of its tensors; `packed` are steps and sequences."""
    if len(x) != (3 if packed is None else 2) or any(len(s) != 3 for s in states):
        return None
    if len(states) != (2 if cell == "lstm" else 1):
        return None
    seq_len, batch = packed or (x[1::-1] if batch_first else x[:2])
    if 0 in x or seq_len == 0 or batch == 0:
        return None
    directions = 2 if bidirectional else 1
    hidden_size, h_size = states[-1][2], states[0][2]
    if any(s[:2] != (num_layers * directions, batch) for s in states):
        return None
    gates = {"lstm": 4, "gru": 3}.get(cell, 1) * hidden_size
    shapes: list[tuple[int, ...]] = []
    for layer in range(num_layers):
        width = x[-1] if layer == 0 else directions * h_size
        one: list[tuple[int, ...]] = [(gates, width), (gates, h_size)]
        if bias:
            one += [(gates,), (gates,)]
        if h_size != hidden_size:
            one.append((h_size, hidden_size))
        shapes += one * directions
    if weights != tuple(shapes):
        return None
    proj_size = h_size if h_size != hidden_size else 0
    return Sizes(
        seq_len, batch, x[-1], hidden_size, proj_size, (*x[:-1], directions * h_size), weights
    )


def _check_width(call: Call) -> None:
    """torch does not look at that of packed sequences, and 2.13 may go on with other numbers."""
    x, weight = call.x, call.weights[0]
    if call.batch_sizes is not None and weight is not None and x.size(-1) != weight.size(1):
        raise RuntimeError(
            f"input.size(-1) must be equal to input_size. Expected {weight.size(1)}, "
            f"got {x.size(-1)}"
        )


def _who_looks() -> str | None:
    """What looks into the operations that a call is made of; None if nothing does."""
    if torch.jit.is_tracing():
        return "torch.jit.trace records torch's own operations"
    if torch._C._functorch.peek_interpreter_stack() is not None:
        return "torch.func transforms torch's own operations"
    if torch.autograd.forward_ad._current_level >= 0:
        return "forward-mode differentiation"
    if torch._C._len_torch_dispatch_stack() > 0:
        return "a mode that sees torch's own operations"
    return None


def _why_not(call: Call, bf16: bool) -> str | None:
    """Why quadgate does not compute a call; None if it does."""
    if call.x.is_nested:
        return "a nested tensor"
    for tensor in (call.x, *call.states, *call.weights):
        dtype = tensor.dtype
        if (
            type(tensor) in _TENSORS
            and tensor.is_cpu
            and tensor.layout is torch.strided
            and not tensor.is_neg()
            and (dtype is torch.float32 or (bf16 and dtype is torch.bfloat16))
        ):
            continue
        if type(tensor) not in _TENSORS:
            return f"a {type(tensor).__name__}"
        if tensor.device.type != "cpu":
            return f"a tensor on {tensor.device}"
        if tensor.layout != torch.strided:
            return f"a tensor of layout {tensor.layout}"
        if tensor.is_neg():
            return "a view of the opposite of a tensor"
        return f"a tensor of {dtype}"
    if call.drops and call.dropout == 1:
        return "dropout=1"
    return None


def _call(cell: str, arguments: tuple[Any, ...]) -> tuple[torch.Tensor, ...]:
    if torch.compiler.is_compiling():
        return getattr(torch._VF, cell)(*arguments)
    call = _parse(cell, arguments)
    autocast = torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else None
    bf16 = autocast is torch.bfloat16
    reason = _who_looks() or _why_not(call, bf16)
    if reason is None and autocast is torch.float16:
        reason = "autocast to torch.float16"
    sizes = _sizes_of(call) if reason is None else None
    if sizes is None:
        _check_width(call)
        if reason is not None:
            warn(reason)
        return getattr(torch._VF, cell)(*arguments)
    return _autocast(call, sizes) if bf16 else compute(call, sizes, bf16=False)


def _autocast(call: Call, sizes: Sizes) -> tuple[torch.Tensor, ...]:
    """Computes in bf16, and rounds what torch rounds: what comes out of a product, but not what its
    cells add to a state."""
    as_states = call.states[-1].dtype
    dtypes = [torch.bfloat16] * 3
    if sizes.proj_size > 0:
        dtypes[2] = as_states
    elif call.cell == "gru" or (call.cell == "lstm" and call.batch_sizes is not None):
        dtypes = [as_states] * 3
    call = call._replace(
        x=call.x.float(),
        states=tuple(s.float() for s in call.states),
        weights=[w.float() for w in call.weights],
    )
    results = compute(call, sizes, bf16=True)
    return tuple(r.to(dtype) for r, dtype in zip(results, dtypes))


def lstm(*arguments: Any) -> tuple[torch.Tensor, ...]:
    return _call("lstm", arguments)


def gru(*arguments: Any) -> tuple[torch.Tensor, ...]:
    return _call("gru", arguments)


def rnn_tanh(*arguments: Any) -> tuple[torch.Tensor, ...]:
    return _call("rnn_tanh", arguments)


def rnn_relu(*arguments: Any) -> tuple[torch.Tensor, ...]:
    return _call("rnn_relu", arguments)


# torch.compile compiles what is around a layer, as it does with torch's own. Were a call compiled, the
# gradients of torch's operation would fail in the compiler's backends. torch.export traces it all the same.
_eval_frame = getattr(torch._C, "_dynamo").eval_frame
_skip = _eval_frame._FrameAction.SKIP
for _function in (_call, lstm, gru, rnn_tanh, rnn_relu):
    _eval_frame.set_code_exec_strategy(_function.__code__, _eval_frame._FrameExecStrategy(_skip, _skip))
