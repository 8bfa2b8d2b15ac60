"""What Jupyter shows."""

import base64
import re
import xml.etree.ElementTree as ET

import pytest

from symrnn import LSTM, Dense, Sequential, SimpleRNN, derive
from symrnn.documents import jupyter
from symrnn.documents.blocks import Figure

VALUES = {
    "derivation": lambda: derive(),
    "gradient": lambda: derive().gradient(),
    "many time steps": lambda: derive(Sequential([LSTM(2), Dense(1)], (1000, 2))),
    "open time": lambda: derive(Sequential([SimpleRNN(2)], (None, 2))),
    "program": lambda: derive().program(),
    "picture": lambda: derive().picture(),
    "section": lambda: derive().document(["backward"], check=False)["backward"],
    "document": lambda: derive().document(check=False),
}
EQUATIONS = ["derivation", "gradient", "many time steps", "open time", "program"]


def shown(name):
    return VALUES[name]()._repr_mimebundle_()


@pytest.mark.parametrize("name", VALUES)
def test_every_value_shows_itself(name):
    found = shown(name)
    assert found["text/plain"].strip()
    assert len(found) > 1
    assert max(map(len, found["text/plain"].split("\n"))) < 220


@pytest.mark.parametrize("name", EQUATIONS)
def test_equations_are_latex_and_mathml(name):
    pytest.importorskip("latex2mathml")
    found = shown(name)
    assert found["text/latex"].startswith(r"\begin{align*}")
    assert found["text/html"].count("<math") >= 1
    body = re.sub(r"<style>.*?</style>", "", found["text/html"], flags=re.DOTALL)
    ET.fromstring(f"<div>{body}</div>")


@pytest.mark.parametrize("name", EQUATIONS)
def test_without_latex2mathml_there_is_no_html(name, monkeypatch):
    monkeypatch.setattr(jupyter, "find_spec", lambda name: None)
    assert list(shown(name)) == ["text/latex", "text/plain"]
    assert list(shown("document")) == ["text/markdown", "text/plain"]


def test_many_time_steps_are_shown_for_a_general_t():
    assert "t = 0, ..., T-1" in shown("many time steps")["text/plain"]
    assert "h_2 = tanh" in shown("derivation")["text/plain"]


def test_a_document_has_its_titles():
    pytest.importorskip("latex2mathml")
    made = VALUES["document"]()
    found = made._repr_mimebundle_()
    for kind in ("text/html", "text/markdown", "text/plain"):
        for section in made.sections:
            assert section.title in found[kind]


def test_pictures_are_in_the_markdown_itself():
    made = VALUES["document"]()
    figures = [block for section in made.sections for block in section.blocks if isinstance(block, Figure)]
    addresses = re.findall(r"\]\((data:image/svg\+xml;base64,[^)]*)\)", made._repr_mimebundle_()["text/markdown"])
    assert len(addresses) == len(figures) >= 2
    for address, figure in zip(addresses, figures, strict=True):
        assert base64.b64decode(address.partition(",")[2]).decode() == figure.picture.svg()


def test_a_picture_is_svg():
    ET.fromstring(shown("picture")["image/svg+xml"])


def test_a_report_shows_its_table():
    pytest.importorskip("keras")
    from symrnn import check
    from symrnn.checking.keras_models import build

    report = check(build(derive().network.graph))
    found = report._repr_mimebundle_()
    assert found["text/plain"] == str(report)
    assert found["text/markdown"].count("\n|") >= len(report.rows)


def test_the_style_of_an_output_reaches_nothing_else_on_the_page():
    html = derive()._repr_mimebundle_()["text/html"]
    style, body = re.fullmatch(r"<style>(.*)</style>\n<div class=\"symrnn\">(.*)</div>", html, re.DOTALL).groups()
    depth = [style[:place].count("{") - style[:place].count("}") for place in range(len(style))]
    outside = "".join(sign for sign, level in zip(style, depth, strict=True) if level == 0)
    assert outside.split() == [".symrnn", "{"]
    assert "<math" in body
