"""The recurrent layers of the engine: ctypes over python/native/recurrent.cpp, without torch.

An Engine computes for one caller at a time. Pointers are integers, 0 for none; the caller keeps the
arrays alive, which are contiguous float32.
"""

from __future__ import annotations

import ctypes
import os
import pathlib
from typing import Any, NamedTuple

_POINTER, _SIZE = ctypes.c_void_p, ctypes.c_int64

CELLS = ("lstm", "gru", "rnn_tanh", "rnn_relu")


class Layers(NamedTuple):
    """What an engine computes, whatever the batch."""

    cell: str
    input_size: int
    hidden_size: int
    num_layers: int
    bidirectional: bool
    proj_size: int
    bias: bool
    batch_first: bool
    bf16: bool
    has_d_input: bool
    forward_only: bool
    threads: int
    dropout: float

    @property
    def num_weights(self) -> int:
        """Tensors of all layers and directions, in the order of torch's flat weights."""
        each = 2 + 2 * self.bias + (self.proj_size > 0)
        return each * self.num_layers * (2 if self.bidirectional else 1)


class _Plan(ctypes.Structure):
    _fields_ = [
        ("cell", _SIZE),
        ("input_size", _SIZE),
        ("hidden_size", _SIZE),
        ("num_layers", _SIZE),
        ("bidirectional", _SIZE),
        ("proj_size", _SIZE),
        ("bias", _SIZE),
        ("seq_len", _SIZE),
        ("batch_size", _SIZE),
        ("batch_first", _SIZE),
        ("bf16", _SIZE),
        ("has_d_input", _SIZE),
        ("forward_only", _SIZE),
        ("threads", _SIZE),
        ("dropout", ctypes.c_double),
    ]


def _load() -> ctypes.CDLL:
    library = ctypes.CDLL(str(pathlib.Path(__file__).with_name("_native.so")))
    p, n = _POINTER, _SIZE
    declarations: dict[str, tuple[Any, list[Any]]] = {
        "quadgate_error": (ctypes.c_char_p, []),
        "quadgate_use_openmp": (None, [p]),
        "quadgate_recurrent_new": (p, [p]),
        "quadgate_recurrent_free": (None, [p]),
        "quadgate_recurrent_forward": (
            ctypes.c_int,
            [p, p, p, n, n, n, p, p, p, ctypes.c_int, ctypes.c_uint64, p, p, p],
        ),
        "quadgate_recurrent_gradient": (n, [p, p]),
        "quadgate_recurrent_backward": (ctypes.c_int, [p, n, n, p, p, p, p, p, p, p]),
    }
    for name, (result, arguments) in declarations.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


_library = _load()


def use_openmp_of(process: ctypes.CDLL) -> None:
    """Computes on the threads of the OpenMP runtime that the process has, if it has one."""
    region = getattr(process, "GOMP_parallel", None)
    if region is not None:
        _library.quadgate_use_openmp(ctypes.cast(region, _POINTER))


def _check(status: int) -> None:
    if status != 0:
        raise RuntimeError(_library.quadgate_error().decode())


class Engine:
    """Layers planned for batches of at most batch_size sequences of at most seq_len steps."""

    def __init__(self, layers: Layers, seq_len: int, batch_size: int) -> None:
        self.layers, self.seq_len, self.batch_size = layers, seq_len, batch_size
        self._process = os.getpid()
        values = layers._asdict() | {
            "cell": CELLS.index(layers.cell),
            "seq_len": seq_len,
            "batch_size": batch_size,
        }
        self._handle = _library.quadgate_recurrent_new(ctypes.byref(_Plan(**values)))
        if not self._handle:
            raise RuntimeError(_library.quadgate_error().decode())
        self._weights = (_POINTER * layers.num_weights)()
        offsets = (_SIZE * layers.num_weights)()
        self.gradient_size: int = _library.quadgate_recurrent_gradient(self._handle, offsets)
        self.gradient_offsets = list(offsets)
        self._steps = self._batch = 0
        self.first_weight = 0  # where it was in the last pass

    def __del__(self) -> None:
        # A process that was forked has none of the threads.
        if getattr(self, "_handle", None) and self._process == os.getpid():
            _library.quadgate_recurrent_free(self._handle)

    def fits(self, seq_len: int, batch_size: int) -> bool:
        return seq_len <= self.seq_len and batch_size <= self.batch_size

    def forward(
        self,
        weights: list[int],
        x: int,
        steps: int,
        seq_len: int,
        batch: int,
        batch_sizes: int,
        states: tuple[int, int],
        dropout_seed: int | None,
        output: int,
        final_states: tuple[int, int],
    ) -> None:
        """Runs the layers over x, the steps of a padded batch or, with batch_sizes, int64[seq_len], of a
        packed one. x must stay until the backward pass."""
        self._steps, self._batch = steps, batch
        self._weights[:] = weights
        self.first_weight = weights[0]
        _check(
            _library.quadgate_recurrent_forward(
                self._handle, self._weights, x, steps, seq_len, batch, batch_sizes, *states,
                dropout_seed is not None, dropout_seed or 0, output, *final_states,
            )
        )  # fmt: skip

    def backward(
        self,
        d_output: int,
        d_final_states: tuple[int, int],
        d_x: int,
        d_states: tuple[int, int],
        gradient: int,
    ) -> None:
        """The gradients of the last forward pass, which it uses up. 0: zeros, or not asked for. Those of
        the weights go to one array of gradient_size, each to its own of gradient_offsets."""
        _check(
            _library.quadgate_recurrent_backward(
                self._handle, self._steps, self._batch, d_output, *d_final_states, d_x, *d_states,
                gradient,
            )
        )  # fmt: skip
