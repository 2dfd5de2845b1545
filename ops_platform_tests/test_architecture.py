"""The shape of the code: one arrow, a pure domain, small pieces."""

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from statistics import median, quantiles

import pytest

_ROOT = Path(__file__).parents[1]
_PACKAGE = _ROOT / "ops_platform"
_SOURCES = sorted(_PACKAGE.rglob("*.py"))
_DOMAIN = sorted((_PACKAGE / "domain").rglob("*.py"))
_PYPROJECT = tomllib.loads((_ROOT / "pyproject.toml").read_text())

# Asking for the time, and reaching out of the process, which no import betrays.
_IMPURE = {"now", "utcnow", "today", "open", "print", "input", "uuid4", "uuid1"}


def _name(path: Path) -> str:
    return str(path.relative_to(_ROOT))


def _functions(paths: list[Path]) -> Iterator[tuple[str, int]]:
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield f"{_name(path)}:{node.name}", (node.end_lineno or 0) - node.lineno + 1


def test_imports_follow_the_arrow() -> None:
    """Every contract of pyproject.toml is kept."""
    command = Path(sys.executable).with_name("lint-imports")

    done = subprocess.run(
        [command, "--no-logo"], cwd=_ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout


def test_no_package_escapes_the_contracts() -> None:
    """A new one must be put in its place before it can be imported."""
    contracts = _PYPROJECT["tool"]["importlinter"]["contracts"]
    arrow = next(contract for contract in contracts if contract["id"] == "arrow")
    layers = {layer for line in arrow["layers"] for layer in line.split(" | ")}
    # Two have contracts of their own; the other two import nothing of ours.
    placed = layers | {"embedded", "sandboxed", "clock", "shipped"}

    found = {path.stem for path in _PACKAGE.iterdir() if _is_module(path)}

    assert found == placed


def _is_module(path: Path) -> bool:
    if path.is_dir():
        return (path / "__init__.py").exists()
    return path.suffix == ".py" and path.stem != "__init__"


@pytest.mark.parametrize("path", _DOMAIN, ids=_name)
def test_the_domain_asks_nothing_of_the_world(path: Path) -> None:
    """No clock, no chance, no file, and of urllib only the part that takes text apart."""
    tree = ast.parse(path.read_text())
    called = {
        node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
    }
    imported = {
        node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module
    }

    assert not called & _IMPURE
    assert {name for name in imported if name.startswith("urllib")} <= {"urllib.parse"}


@pytest.mark.parametrize(
    "path", [path for path in _SOURCES if path.name == "__init__.py"], ids=_name
)
def test_a_package_exports_nothing(path: Path) -> None:
    """There is one name for a thing, in the module where it is written."""
    statements = ast.parse(path.read_text()).body

    assert all(isinstance(statement, ast.Expr) for statement in statements)


def test_files_are_small() -> None:
    """None above 300 lines, half of them below 100."""
    lengths = {_name(path): len(path.read_text().splitlines()) for path in _SOURCES}

    assert {name: length for name, length in lengths.items() if length > 300} == {}
    assert median(lengths.values()) <= 100


def test_functions_are_small() -> None:
    """None above 50 lines, nine of ten within 25, half of them within 8."""
    lengths = dict(_functions(_SOURCES))

    assert {name: length for name, length in lengths.items() if length > 50} == {}
    assert quantiles(lengths.values(), n=10)[-1] <= 25
    assert median(lengths.values()) <= 8
