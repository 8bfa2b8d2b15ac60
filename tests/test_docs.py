"""The pages of docs/ and the README: every formula, number and output in them is made again and compared."""

import re
from pathlib import Path

import pytest

import symrnn
from symrnn.derivation import NOTEBOOK_WEIGHTS, NOTEBOOK_X

from .pages import made_anew

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_page_is_what_its_code_gives(page):
    pytest.importorskip("keras")
    text = page.read_text(encoding="utf-8")
    assert _rounded(made_anew(text)) == _rounded(text)


def _rounded(text):
    """The text with numbers to five digits, and without the differences, which vary with the machine."""
    text = re.sub(r"\d\.\de-\d\d", "", text)
    return re.sub(r"\d+\.\d+(e-?\d+)?", lambda match: f"{float(match[0]):.5g}", text)


def test_a_wrong_number_is_noticed():
    page = "```pycon\n>>> y = 0.5\n>>> y\n0.5\n```\n\nIt is 0.6<!-- = y -->.\n"
    assert made_anew(page) == page.replace("0.6<", "0.5<")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def test_the_page_shows_the_notebook():
    text = (ROOT / "docs" / "mathematics.md").read_text(encoding="utf-8")
    y = symrnn.derive().lambdify()(NOTEBOOK_X, list(NOTEBOOK_WEIGHTS))
    assert f"{y[0]:.7f}" == "0.5746256"
    assert "0.5746256" in text
    for name in ("U", "V", "b_h", "W", "b_o"):
        assert rf"\frac{{\partial y}}{{\partial {name}}}" in text
