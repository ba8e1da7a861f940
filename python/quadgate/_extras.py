"""What parts of the package want that pip installs with an extra."""

from __future__ import annotations

from importlib.util import find_spec


def require(part: str, extra: str, *modules: str) -> None:
    """Raises ImportError, naming the command that helps, if one of the modules is not there."""
    for module in modules:
        _expect(part, module, f'"quadgate[{extra}]"')


def require_packages(part: str, *names: str) -> None:
    """The same of packages of no extra, whose modules are called as they are."""
    for name in names:
        _expect(part, name, name)


def _expect(part: str, module: str, package: str) -> None:
    if find_spec(module) is None:
        raise ImportError(f"{part}: expected {module} to be installed: pip install {package}", name=module)
