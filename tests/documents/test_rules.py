"""Each kind of value has a rule in each table: what Jupyter shows, and blocks in every format."""

import importlib
import pkgutil
from collections.abc import Iterator
from typing import get_args

import pytest

import symrnn
from symrnn.common.display import Displayed
from symrnn.documents import jupyter
from symrnn.documents.blocks import Block
from symrnn.documents.inline import Span
from symrnn.documents.sections.table import SECTIONS
from symrnn.documents.writers import html, latex, markdown, pandoc, text
from symrnn.documents.writers.table import WRITERS

WRITTEN = {
    "latex": latex.block_latex,
    "markdown": markdown.block_markdown,
    "html": html.block_html,
    "text": text.block_text,
    "pandoc": pandoc.block_nodes,
}
SPANS = {
    "latex": latex.span_latex,
    "markdown": markdown.span_markdown,
    "html": html.span_html,
    "pandoc": pandoc.span_nodes,
}


def kinds_of(kind: type) -> Iterator[type]:
    """The kinds of symrnn below this one."""
    for one in kind.__subclasses__():
        if one.__module__.startswith("symrnn."):
            yield one
        yield from kinds_of(one)


def test_jupyter_has_a_rule_for_every_value_that_is_displayed():
    for module in pkgutil.walk_packages(symrnn.__path__, "symrnn."):
        if not module.name.startswith(("symrnn.__main__", "symrnn.sphinxext")):
            importlib.import_module(module.name)
    found = set(kinds_of(Displayed))
    names = {kind.__name__ for kind in found}
    assert names >= {"Program", "Derivation", "Gradient", "Picture", "Plot", "Report", "Section", "Article", "Document"}
    rules = jupyter.mimebundle
    missing = {rules.dispatch(object), rules.dispatch(Displayed)}
    assert [kind.__name__ for kind in found if rules.dispatch(kind) in missing] == []


@pytest.mark.parametrize("writer", WRITTEN)
@pytest.mark.parametrize("kind", get_args(Block), ids=lambda kind: kind.__name__)
def test_every_block_has_a_rule_in_every_format(writer, kind):
    rules = WRITTEN[writer]
    assert rules.dispatch(kind) is not rules.dispatch(object)


@pytest.mark.parametrize("writer", SPANS)
@pytest.mark.parametrize("kind", get_args(Span), ids=lambda kind: kind.__name__)
def test_every_piece_of_text_has_a_rule_in_every_format(writer, kind):
    rules = SPANS[writer]
    assert rules.dispatch(kind) is not rules.dispatch(object)
    with pytest.raises(NotImplementedError, match=r"\bint$"):
        list(rules(3))


@pytest.mark.parametrize("table", [{n: f for n, (_, f) in SECTIONS.items()}, WRITERS], ids=["sections", "formats"])
def test_every_row_says_in_one_line_what_it_has(table):
    for function in table.values():
        assert function.__doc__.partition("\n")[0].endswith(".")
