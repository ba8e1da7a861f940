"""A pass through recurrent layers as an operation that torch can differentiate."""

# What torch does not publish.
# pyright: reportPrivateUsage=false, reportPrivateImportUsage=false

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch

from ._engine import Layers
from ._pool import Lease, num_threads, passes_of


class Call(NamedTuple):
    """The arguments of a function of torch._VF."""

    cell: str
    x: torch.Tensor  # [T, N, I], [N, T, I] or, packed, [steps, I]
    batch_sizes: torch.Tensor | None
    states: tuple[torch.Tensor, ...]  # h, and c of an LSTM
    weights: list[Any]  # tensors; None for one that a module lacks
    bias: bool
    num_layers: int
    dropout: float
    train: bool
    bidirectional: bool
    batch_first: bool

    @property
    def drops(self) -> bool:
        return self.train and self.dropout > 0 and self.num_layers > 1


class Sizes(NamedTuple):
    """Of a call whose shapes fit each other."""

    seq_len: int
    batch: int
    input_size: int
    hidden_size: int
    proj_size: int  # 0: none
    output: tuple[int, ...]
    weights: tuple[tuple[int, ...], ...]


_warned: set[str] = set()


def warn(reason: str) -> None:
    if reason not in _warned:
        _warned.add(reason)
        warnings.warn(f"quadgate leaves this to torch's own kernels: {reason}", stacklevel=7)


def compute(call: Call, sizes: Sizes, bf16: bool) -> tuple[torch.Tensor, ...]:
    tensors = (call.x, *call.states, *call.weights)
    differentiates = torch.is_grad_enabled() and any([t.requires_grad for t in tensors])
    seed = int(torch.randint(2**63 - 1, ())) if call.drops else None
    layers = Layers(
        cell=call.cell,
        input_size=sizes.input_size,
        hidden_size=sizes.hidden_size,
        num_layers=call.num_layers,
        bidirectional=call.bidirectional,
        proj_size=sizes.proj_size,
        bias=call.bias,
        batch_first=call.batch_first,
        bf16=bf16,
        has_d_input=differentiates and call.x.requires_grad,
        forward_only=not differentiates,
        threads=num_threads(),
        dropout=call.dropout if call.num_layers > 1 else 0.0,
    )
    job = _Job(call, sizes, layers, seed)
    if differentiates:
        return _apply(_Layers, job, *tensors)
    results, lease = job.forward(tensors)
    lease.give_back()
    return results


def _apply(function: Any, *arguments: Any) -> tuple[torch.Tensor, ...]:
    return function.apply(*arguments)


class _Job:
    """What a call asks for, but its tensors."""

    def __init__(self, call: Call, sizes: Sizes, layers: Layers, seed: int | None) -> None:
        self.sizes, self.layers, self.seed = sizes, layers, seed
        self._rest = call[6:]  # from num_layers on
        self._bias = call.bias
        self._batch_sizes = None if call.batch_sizes is None else call.batch_sizes.long().contiguous()
        self.passes = passes_of(call.weights[0])

    def forward(self, tensors: tuple[torch.Tensor, ...]) -> tuple[tuple[torch.Tensor, ...], Lease]:
        """The output and final states, and the engine that can go back."""
        num_states = 2 if self.layers.cell == "lstm" else 1
        x, *rest = [t if t.is_contiguous() else t.contiguous() for t in tensors]
        states, weights = rest[:num_states], rest[num_states:]
        output = x.new_empty(self.sizes.output)
        final_states = [s.new_empty(s.shape) for s in states]
        addresses = [w.data_ptr() for w in weights]
        lease = self.passes.lease(
            self.layers, self.sizes.seq_len, self.sizes.batch, addresses[0]
        )
        lease.x = x.detach()  # its memory stays, whatever the caller's tensor will hold
        lease.address = x.data_ptr() if x is tensors[0] else None
        lease.engine.forward(
            addresses,
            x.data_ptr(),
            output.numel() // self.sizes.output[-1],
            self.sizes.seq_len,
            self.sizes.batch,
            0 if self._batch_sizes is None else self._batch_sizes.data_ptr(),
            _pointers(states),
            self.seed,
            output.data_ptr(),
            _pointers(final_states),
        )
        return (output, *final_states), lease

    def differentiable(
        self,
        tensors: tuple[torch.Tensor, ...],
        d_results: tuple[torch.Tensor | None, ...],
        needed: tuple[bool, ...],
    ) -> list[torch.Tensor | None]:
        """Torch's own gradients of the tensors that are needed, with their graph if there is to be one."""
        x, *rest = tensors
        states = tuple(rest[:2]) if self.layers.cell == "lstm" else rest[0]
        weights = rest[len(d_results) - 1 :]
        function = getattr(torch._VF, self.layers.cell)
        with torch.enable_grad():
            if self._batch_sizes is None:
                results = function(x, states, weights, self._bias, *self._rest)
            else:
                results = function(x, self._batch_sizes, states, weights, self._bias, *self._rest[:-1])
        pairs = [(r, d) for r, d in zip(results, d_results) if d is not None]
        inputs = [t for t, is_needed in zip(tensors, needed) if is_needed]
        found = iter(
            torch.autograd.grad(
                [r for r, _ in pairs],
                inputs,
                [d for _, d in pairs],
                create_graph=torch.is_grad_enabled(),
                allow_unused=True,
            )
        )
        return [next(found) if is_needed else None for is_needed in needed]


def _is_batched(d: torch.Tensor) -> bool:
    """Whether it is one of torch.vmap, or of is_grads_batched: several in the place of one."""
    functorch = getattr(torch._C, "_functorch")
    return functorch.is_batchedtensor(d) or functorch.is_legacy_batchedtensor(d)


def _in_memory(d: torch.Tensor) -> torch.Tensor:
    """Contiguous, each element as it is: not its opposite, and not told to be zero."""
    if d.is_neg() or d._is_zerotensor():
        d = d.clone()
    return d.contiguous()


def _pointers(states: Sequence[torch.Tensor | None]) -> tuple[int, int]:
    """Of h and c, 0 for what is not there."""
    h, c = [0 if s is None else s.data_ptr() for s in [*states, None][:2]]
    return h, c


class _Layers(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, job: _Job, *tensors: torch.Tensor) -> tuple[torch.Tensor, ...]:
        job.passes.make_room()
        results, ctx.lease = job.forward(tensors)
        ctx.lease.wait()
        ctx.save_for_backward(*tensors)
        ctx.set_materialize_grads(False)
        ctx.job = job
        return results

    @staticmethod
    def backward(ctx: Any, *d_results: torch.Tensor | None) -> tuple[torch.Tensor | None, ...]:
        is_batched = any([d is not None and _is_batched(d) for d in d_results])
        if not torch.is_grad_enabled() and not is_batched:
            return (None, *_Layers.gradients(ctx, d_results))
        # With create_graph. Gradients without a graph would miss in those of a loss in silence.
        if ctx.job.seed is None:
            warn("gradients in batches" if is_batched else "the gradient of a gradient")
            needed = ctx.needs_input_grad[1:]
            return (None, *ctx.job.differentiable(ctx.saved_tensors, d_results, needed))
        if is_batched:
            raise RuntimeError("quadgate.nn: gradients in batches: expected a layer without dropout")
        with torch.no_grad():
            gradients = _Layers.gradients(ctx, d_results)
        there = [g.requires_grad_() for g in gradients if g is not None]
        marked = iter(_apply(_NotDifferentiable, *there))
        return (None, *[None if g is None else next(marked) for g in gradients])

    @staticmethod
    def gradients(
        ctx: Any, d_results: tuple[torch.Tensor | None, ...]
    ) -> list[torch.Tensor | None]:
        """Of the input, the states and the weights."""
        job, tensors = ctx.job, ctx.saved_tensors  # says so if one was changed in place
        lease: Lease = ctx.lease
        is_ready = lease.claim()  # else it is a second backward pass, or one of many passes
        if is_ready and lease.address not in (None, tensors[0].data_ptr()):
            # A hook of saved tensors, or `x.data = y`, put something else there.
            lease.give_back()
            is_ready = False
            if tensors[0].data_ptr() == 0:
                raise RuntimeError("quadgate.nn: expected the input's memory, found it freed")
        if not is_ready:
            _, lease = job.forward(tensors)
        num_states = len(d_results) - 1
        d_output, *d_final_states = [None if d is None else _in_memory(d) for d in d_results]
        if d_output is None:
            d_output = tensors[0].new_zeros(job.sizes.output)
        needed = ctx.needs_input_grad[1:]
        d_x, *d_states = [
            t.new_empty(t.shape) if is_needed else None
            for t, is_needed in zip(tensors[: 1 + num_states], needed)
        ]
        engine = lease.engine
        # One array, since the engine computes into one.
        gradient = tensors[0].new_empty(engine.gradient_size)
        d_weights = [
            gradient.as_strided(shape, (*shape[1:], 1), offset) if is_needed else None
            for shape, is_needed, offset in zip(
                job.sizes.weights, needed[1 + num_states :], engine.gradient_offsets
            )
        ]
        engine.backward(
            d_output.data_ptr(),
            _pointers(d_final_states),
            0 if d_x is None else d_x.data_ptr(),
            _pointers(d_states),
            gradient.data_ptr(),
        )
        lease.give_back()
        return [d_x, *d_states, *d_weights]


class _NotDifferentiable(torch.autograd.Function):
    """Gradients behind dropout, which have none themselves: torch would draw other masks."""

    @staticmethod
    def forward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return tuple(g.view_as(g) for g in gradients)

    @staticmethod
    def backward(ctx: Any, *_: torch.Tensor | None) -> tuple[None, ...]:
        raise RuntimeError("quadgate.nn: the gradient of a gradient: expected a layer without dropout")
