"""The recurrent layers of a model computed by quadgate, and back."""

from __future__ import annotations

import types
from typing import Any, NamedTuple

from ._extras import require

require("quadgate.accelerate", "torch", "torch")

import torch

from . import nn

_OURS: dict[type[torch.nn.Module], type[torch.nn.Module]] = {
    torch.nn.LSTM: nn.LSTM,
    torch.nn.GRU: nn.GRU,
    torch.nn.RNN: nn.RNN,
}
_TORCHS = {ours: torchs for torchs, ours in _OURS.items()}


class Swapped(NamedTuple):
    """What `accelerate` or `revert` did."""

    swapped: list[str]
    """The names of the modules that were swapped, "" for the model itself."""
    left: dict[str, str]
    """Why the other recurrent modules stay as they are, by name."""
    own_forward: list[str]
    """Those that were swapped, but compute what their class says: ours where it calls super().forward."""

    def __str__(self) -> str:
        lines = [f"swapped: {', '.join(map(_display, self.swapped)) or 'nothing'}"]
        if self.own_forward:
            names = ", ".join(map(_display, self.own_forward))
            lines.append(f"ours where they call super().forward: {names}")
        lines += [f"left {_display(name)}: {reason}" for name, reason in self.left.items()]
        return "\n".join(lines)


def _display(name: str) -> str:
    return name or "the model"


def accelerate(model: torch.nn.Module) -> Swapped:
    """Has quadgate compute every torch.nn.LSTM, GRU and RNN of a model, in place.

    The modules and their Parameters stay the objects that they are: an optimizer that was made before
    goes on, and so do hooks. Classes derived from torch's keep their own methods, and where these call
    super().forward, it is ours. Cells (torch.nn.LSTMCell) and what torch has compiled or quantized are
    left, and so are weights in float64. Returns what was done; print it.
    """
    done = Swapped([], {}, [])
    for name, module in _named_modules(model):
        kind = type(module)
        reason = _why_left(module)
        if reason is not None:
            done.left[name] = reason
        elif isinstance(module, tuple(_OURS)) and not isinstance(module, tuple(_TORCHS)):
            if getattr(kind, "forward") not in _TORCH_FORWARDS:
                done.own_forward.append(name)
            module.__class__ = _OURS.get(kind) or _with_ours(kind)
            done.swapped.append(name)
    return done


_TORCH_FORWARDS = [kind.forward for kind in (torch.nn.LSTM, torch.nn.GRU, torch.nn.RNN)]
_NAMES = {kind.__name__ for kind in _OURS}


def _why_left(module: torch.nn.Module) -> str | None:
    """Why a recurrent module stays as it is; None of all others."""
    kind = type(module)
    if isinstance(module, torch.nn.RNNCellBase):
        return f"{kind.__name__} computes one step of one layer"
    if isinstance(module, torch.jit.ScriptModule) and getattr(module, "original_name", None) in _NAMES:
        return "torch.jit has compiled it"
    if any(k.__module__.startswith("torch.ao.") and k.__name__ in _NAMES for k in kind.__mro__):
        return f"{kind.__name__} of {kind.__module__} computes for quantization"
    if not isinstance(module, torch.nn.RNNBase):
        return None
    if not isinstance(module, tuple(_OURS)):
        return f"{kind.__qualname__} is derived from RNNBase, not from LSTM, GRU or RNN"
    if "forward" in vars(module):
        return "its forward is the object's own, not its class's"
    dtypes = {p.dtype for p in module.parameters()} - {torch.float32, torch.bfloat16}
    if dtypes:
        return f"its weights are {' and '.join(sorted(map(str, dtypes)))}"
    return None


def revert(model: torch.nn.Module) -> Swapped:
    """Has torch compute the layers again that `accelerate` swapped, and every quadgate.nn.LSTM, GRU
    and RNN. Returns what was done."""
    done = Swapped([], {}, [])
    for name, module in _named_modules(model):
        kind = type(module)
        if kind in _TORCHS or kind in _DERIVED.values():
            module.__class__ = _TORCHS.get(kind) or kind.__mro__[1]
            done.swapped.append(name)
        elif isinstance(module, tuple(_TORCHS)):
            done.left[name] = f"{kind.__qualname__} is derived from quadgate's class"
    return done


def _named_modules(model: torch.nn.Module) -> list[tuple[str, torch.nn.Module]]:
    untyped: Any = model  # torch's types of these are partial
    if torch.nn.Module not in type(untyped).__mro__:
        raise TypeError(f"model: expected a torch.nn.Module, found {type(untyped).__name__}")
    return list(untyped.named_modules())


_DERIVED: dict[type[torch.nn.Module], type[torch.nn.Module]] = {}
"""The classes that `_with_ours` made."""


def _with_ours(kind: type[torch.nn.Module]) -> type[torch.nn.Module]:
    """A class derived from torch's, and from ours, which Python puts in front of torch's: what `kind`
    calls in torch's class, it finds in ours."""
    if kind not in _DERIVED:
        ours = next(ours for torchs, ours in _OURS.items() if issubclass(kind, torchs))
        body = {"__module__": kind.__module__, "__reduce_ex__": _reduce}
        made = types.new_class(kind.__name__, (kind, ours), exec_body=lambda ns: ns.update(body))
        made.__qualname__ = kind.__qualname__
        _DERIVED[kind] = made
    return _DERIVED[kind]


def _reduce(module: torch.nn.Module, protocol: int) -> tuple[object, ...]:
    """For pickle, which would look for the class by its name and find the one that it is made of."""
    _, _, state, *rest = object.__reduce_ex__(module, protocol)
    return (_new, (type(module).__mro__[1],), state, *rest)


def _new(kind: type[torch.nn.Module]) -> torch.nn.Module:
    made = _with_ours(kind)
    return made.__new__(made)
