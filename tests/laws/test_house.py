"""How the modules are kept: names, imports, lengths of functions, and what packages say of themselves."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

import symrnn

ROOT = Path(symrnn.__file__).parent
TREES = {path.relative_to(ROOT).as_posix(): ast.parse(path.read_text("utf-8")) for path in sorted(ROOT.rglob("*.py"))}
PACKAGES = [name for name in TREES if name.endswith("/__init__.py")]
Definition = ast.FunctionDef | ast.ClassDef

DOORS = {
    "Derivation": "what users hold is the derivation with pictures and documents",
    "Gradient": "as Derivation",
    "Jacobian": "as Derivation",
    "blocks": "the one function of each section's module",
    "files": "the one function of each format's module",
}
"""Names that several modules define with one meaning, and why."""


def public(tree: ast.Module, kinds: type | tuple[type, ...] = (ast.FunctionDef, ast.ClassDef)) -> list[str]:
    return [item.name for item in tree.body if isinstance(item, kinds) and not item.name.startswith("_")]


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    return (item for item in ast.walk(tree) if isinstance(item, ast.FunctionDef))


def length(function: ast.FunctionDef) -> int:
    return (function.end_lineno or 0) - function.lineno + 1


def test_no_module_bears_the_name_of_its_own_function():
    found = {name for name, tree in TREES.items() if Path(name).stem in public(tree, ast.FunctionDef)}
    assert found == set()


def test_only_the_interface_imports_inside_functions():
    found = {
        name
        for name, tree in TREES.items()
        for function in functions(tree)
        if any(isinstance(item, ast.Import | ast.ImportFrom) for item in ast.walk(function))
    }
    assert found <= {"interface.py"}


def test_few_modules_stand_at_the_top():
    assert len([name for name in TREES if "/" not in name]) <= 6


@pytest.mark.parametrize("name", [name for name in PACKAGES if name.count("/") == 1 and "sphinxext" not in name])
def test_a_package_says_what_may_import_it(name):
    assert "may import it" in " ".join((ast.get_docstring(TREES[name]) or "").split())


LONG = ("typesetting/expressions", "typesetting/equations", "models/losses")
LONG += ("importers/keras/graph_config", "importers/keras/layer_config")
"""Modules of more than 350 lines: each is one table, or one text after the other."""


def test_modules_are_short():
    found = {name for name in TREES if len((ROOT / name).read_text("utf-8").splitlines()) > 350}
    assert found == {f"{name}.py" for name in LONG}


def test_what_a_message_shows_of_a_value_is_cut():
    """A value may be of any length: `common.errors.cut_repr` shows it, and not the conversion !r."""
    found = {
        f"{name}:{part.lineno}"
        for name, tree in TREES.items()
        for item in ast.walk(tree)
        if isinstance(item, ast.Raise)
        for part in ast.walk(item)
        if isinstance(part, ast.FormattedValue) and part.conversion == ord("r")
    }
    assert found == set()


@pytest.mark.parametrize("name", PACKAGES)
def test_a_package_lists_its_modules(name):
    folder = ROOT / Path(name).parent
    parts = {path.stem for path in folder.glob("*.py")} | {path.parent.name for path in folder.glob("*/__init__.py")}
    text = ast.get_docstring(TREES[name]) or ""
    missing = {part for part in parts - {"__init__"} if f"`{part}`" not in text}
    assert not missing


def test_functions_are_short():
    found = {f"{name}:{f.name}" for name, tree in TREES.items() for f in functions(tree) if length(f) > 40}
    assert found == set()


def test_a_public_name_has_one_meaning():
    found = defaultdict(list)
    for name, tree in TREES.items():
        for one in public(tree):
            found[one].append(name)
    assert {one for one, names in found.items() if len(names) > 1} == set(DOORS)
