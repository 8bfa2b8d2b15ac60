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

OWN_NAMES = {
    "cli.py": "the command's group bears the command's name",
    "documents/sections/contributions_plot.py": "a section's module",
    "documents/sections/summary.py": "a section's module",
    "documents/writers/model_code.py": "a format's module",
    "expressions/entries.py": "the one function of its module",
}
"""Modules that may bear the name of their own function, and why."""

PARTS = {
    "models/layers/__init__.py": "exports its classes by name",
    "sphinxext/__init__.py": "Sphinx loads it for `setup` alone",
}
"""Packages that do not list their modules, and why."""

TWICE = {
    "Call": "one in a graph of layers, one of a function",
    "Derivation": "the one that users hold adds pictures and documents",
    "Dialect": "one of Python, one of Markdown",
    "Gradient": "as Derivation",
    "Jacobian": "as Derivation",
    "Node": "one in an expression, one in a drawing, one in a Keras config",
    "Origin": "one of a document, one of a layer",
    "Row": "one of a table in each of three packages",
    "Run": "one of signs, one over time",
    "Softmax": "the layer applies the function",
    "Step": "one in a text, one of a cell",
    "Text": "one in a table, one of a terminal",
    "blocks": "what each section's module has",
    "check": "users call it without its module",
    "check_size": "one of a number, one of an archive",
    "code": "one of a model, one in a text",
    "columns": "one of a matrix, one of a layout",
    "entries": "one of an expression, one of a config",
    "files": "what each format's module has",
    "inline": "one of formulas, one of equations",
    "labelled": "one of arrows, one of formulas, one of pages",
    "math_block": "one of Markdown, one of Sphinx",
    "numbered": "one of nodes, one of pages",
    "plain": "a value without a letter of its own, and lines without signs of LaTeX",
    "render": "a drawing in each language, and equations",
    "rules_of": "of a use, and of a stage on the way back",
    "setup": "Sphinx asks for it by this name",
    "shown": "one of a config, one of options",
    "width": "one of an expression, one of a label",
}
"""Names that several modules define, and why: each stands in a package of its own, or for one format of several."""


def public(tree: ast.Module, kinds: type | tuple[type, ...] = (ast.FunctionDef, ast.ClassDef)) -> list[str]:
    return [item.name for item in tree.body if isinstance(item, kinds) and not item.name.startswith("_")]


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    return (item for item in ast.walk(tree) if isinstance(item, ast.FunctionDef))


def length(function: ast.FunctionDef) -> int:
    return (function.end_lineno or 0) - function.lineno + 1


def test_no_module_bears_the_name_of_its_own_function():
    found = {name for name, tree in TREES.items() if Path(name).stem in public(tree, ast.FunctionDef)}
    assert found == set(OWN_NAMES)


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


@pytest.mark.parametrize("name", PACKAGES)
def test_a_package_lists_its_modules(name):
    folder = ROOT / Path(name).parent
    parts = {path.stem for path in folder.glob("*.py")} | {path.parent.name for path in folder.glob("*/__init__.py")}
    text = ast.get_docstring(TREES[name]) or ""
    missing = {part for part in parts - {"__init__"} if f"`{part}`" not in text}
    assert not missing or name in PARTS


def test_functions_are_short():
    found = {f"{name}:{f.name}" for name, tree in TREES.items() for f in functions(tree) if length(f) > 40}
    assert found == set()


def test_a_public_name_has_one_meaning():
    found = defaultdict(list)
    for name, tree in TREES.items():
        for one in public(tree):
            found[one].append(name)
    assert {one for one, names in found.items() if len(names) > 1} == set(TWICE)
