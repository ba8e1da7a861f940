"""What parts of the package want that pip installs with an extra."""

from __future__ import annotations

from importlib.util import find_spec


def require(part: str, extra: str, *modules: str) -> None:
    """Raises ImportError, naming the command that helps, if one of the modules is not there."""
    for module in modules:
        if find_spec(module) is None:
            raise ImportError(
                f'{part}: expected {module} to be installed: pip install "quadgate[{extra}]"', name=module
            )
