"""The README, whose formulas and outputs are made again and compared, and the pages of docs/, built by Sphinx."""

import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.support.browser import measure, needs_browser
from tests.support.pages import made_anew

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
PAGES = sorted(page.stem for page in (ROOT / "docs").glob("*.md"))


# the README -------------------------------------------------------------------------------------


def test_the_readme_is_what_its_code_gives():
    pytest.importorskip("keras")
    text = README.read_text(encoding="utf-8")
    assert _rounded(made_anew(text)) == _rounded(text)


def _rounded(text):
    """The text with numbers to five digits, and without the differences, which vary with the machine."""
    text = re.sub(r"\d\.\de-\d\d", "", text)
    return re.sub(r"\d+\.\d+(e-?\d+)?", lambda match: f"{float(match[0]):.5g}", text)


def test_a_wrong_number_is_noticed():
    page = "```pycon\n>>> y = 0.5\n>>> y\n0.6\n```\n\n<!-- math: str(y) -->\n\n```math\n0.6\n```\n"
    assert made_anew(page) == page.replace("0.6", "0.5")


def test_links_of_the_readme_lead_somewhere():
    for target in re.findall(r"\]\(([^)#:]+)\)", README.read_text(encoding="utf-8")):
        assert (ROOT / target).exists(), target


# the pages of docs/ -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The pages built from a copy, with warnings as errors."""
    for module in ("keras", "sphinx", "furo", "myst_parser", "sphinx_copybutton", "latex2mathml"):
        pytest.importorskip(module)
    folder = tmp_path_factory.mktemp("site")
    shutil.copytree(ROOT / "docs", folder / "docs", ignore=shutil.ignore_patterns("build", "__pycache__"))
    shutil.copy(ROOT / "CHANGELOG.md", folder)
    out = folder / "out"
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "-b", "html", folder / "docs", out]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr[-3000:]
    return out


@pytest.mark.parametrize("page", PAGES)
def test_no_formula_is_missing(site, page):
    html = (site / f"{page}.html").read_text(encoding="utf-8")
    places = re.findall(r'<(?:div|span) class="math notranslate[^>]*>\s*(?:<span class="eqno">.*?</span>)?(.{5})', html)
    assert all(place == "<math" for place in places)
    formulas = [ElementTree.fromstring(found) for found in re.findall(r"<math.*?</math>", html, re.DOTALL)]
    assert len(formulas) == len(places)
    assert all("".join(formula.itertext()).strip() for formula in formulas)


@pytest.mark.parametrize("page", PAGES)
def test_no_number_is_typed(page):
    """A number with three digits or more after the point is an output, or the value of an expression."""
    text = (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")
    text = re.sub(r"(?s)(```+).*?\n\1|\{value\}`.*?`", "", text)
    assert re.findall(r"\d\.\d{3,}", text) == []


def test_the_tutorial_ends_in_the_numbers_of_the_notebook(site):
    html = (site / "tutorial.html").read_text(encoding="utf-8")
    assert "the network of this page answers 0.5746256.\n" in html
    for name in ("U", "V", "b_h", "W", "b_o"):
        assert rf"\frac{{\partial y}}{{\partial {name}}}" in html


@needs_browser
@pytest.mark.parametrize(("page", "width"), [("index", 1200), ("tutorial", 1200), ("tutorial", 420), ("lstm", 420)])
def test_pages_are_laid_out_without_the_network(site, page, width):
    found = measure(site / f"{page}.html", width)
    assert found["math"]
    for formula in found["math"]:
        assert formula["width"] > 0, formula
        assert formula["height"] > 0, formula
        assert width < 1000 or formula["content"] <= formula["room"] + 1, formula
    assert found["page"] <= max(width, found["width"])
    assert [address for address in found["requests"] if not address.startswith("file:")] == []


# sessions ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def session():
    """The extension of docs/ that runs the code of pages."""
    pytest.importorskip("sphinx")
    spec = importlib.util.spec_from_file_location("session", ROOT / "docs" / "session.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_session_shows_what_its_code_gives(session):
    names = {}
    assert session.transcript(">>> x = 2\n>>> for i in range(x):\n...     print(i)\n>>> x + 1\n", names) == (
        ">>> x = 2\n>>> for i in range(x):\n...     print(i)\n0\n1\n>>> x + 1\n3"
    )
    assert names["x"] == 2


@pytest.mark.parametrize(
    ("value", "tag"), [(r"\begin{align*}a &= b\end{align*}", "math_block"), ("a = b", "literal_block")]
)
def test_a_text_is_shown_as_a_formula_where_it_is_one(session, value, tag):
    (node,) = session.shown(value)
    assert node.tagname == tag
