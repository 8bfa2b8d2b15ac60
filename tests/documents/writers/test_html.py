"""Documents as web pages: each kind of block, valid HTML, nothing from elsewhere, and what a browser makes of it."""

import re
from dataclasses import dataclass
from html.parser import HTMLParser

import pytest

pytest.importorskip("latex2mathml", reason="MathML needs latex2mathml")

import symrnn
from symrnn import GRU, LSTM, Bidirectional, Dense, Masking, Sequential, SimpleRNN
from symrnn.documents.blocks import (
    Equations,
    Figure,
    Formulas,
    NumberedStep,
    Paragraph,
    Section,
    Table,
    Verbatim,
)
from symrnn.documents.document import Document
from symrnn.documents.figures import figure
from symrnn.documents.inline import Code, Emphasis, Strong, prose
from symrnn.documents.writers.html import article_html, block_html, blocks_html, prose_html
from symrnn.expressions.names import Name
from symrnn.typesetting.layout import DisplayRow
from symrnn.typesetting.mathml import display, inline_math
from tests.support.browser import inked, measure, needs_browser, screenshot

PLAIN, BLACK = "Plainname", '<b>&amp;\'"</b> \\_ $x$ id="model"'
"""What users may call a layer."""
VOID = {"meta", "br", "hr", "img", "link", "input"}


class Reader(HTMLParser):
    """Reads a page and notes its tags, ids, references and text; its elements must be nested."""

    def __init__(self, page):
        super().__init__()
        self.open, self.tags, self.ids, self.targets, self.words = [], [], [], [], []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.open += [] if tag in VOID else [tag]
        known = [name for name, _ in attributes]
        assert len(known) == len(set(known)), attributes
        self.ids += [value for name, value in attributes if name == "id"]
        self.targets += [value for name, value in attributes if name in ("href", "src", "data", "action")]
        assert not [name for name in known if name.startswith("on")]

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        self.handle_endtag(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, self.getpos()

    def handle_data(self, data):
        self.words.append(data)


def tags_of(page):
    return Reader(page).tags


# blocks -----------------------------------------------------------------------------------------


def test_paragraph():
    block = Paragraph(prose("the state $h_t$ of `f_x`, *here* and **there**"), "A <title>.")
    assert block_html(block) == (
        f"<p><strong>A &lt;title&gt;.</strong> the state {inline_math('h_t')} of <code>f_x</code>, "
        "<em>here</em> and <strong>there</strong></p>"
    )


def test_spans_are_escaped():
    text = prose_html(("a<b", Code("c<d"), Strong("e<f"), Emphasis("g<h")))
    assert text == "a&lt;b<code>c&lt;d</code><strong>e&lt;f</strong><em>g&lt;h</em>"


def test_table():
    block = Table(("a", "b"), (("x<y", Name("h")), (prose("$U$"), "-1.5e-05"), ("sum", "a-2")), (1,), prose("n"), 1)
    right = ' style="text-align: right"'
    assert block_html(block) == (
        '<div class="wide" style="overflow-x: auto">\n<table>\n'
        f'<thead>\n<tr><th scope="col">a</th><th scope="col"{right}>b</th></tr>\n</thead>\n'
        f"<tbody>\n<tr><td>x&lt;y</td><td{right}>{inline_math('h')}</td></tr>\n"
        f"<tr><td>{inline_math('U')}</td><td{right}>−1.5e−05</td></tr>\n</tbody>\n"
        f"<tfoot>\n<tr><td>sum</td><td{right}>a-2</td></tr>\n</tfoot>\n"
        '</table>\n</div>\n<p class="note">n</p>'
    )


def test_formulas():
    rows = (DisplayRow(("a", "= b"), "F1"),)
    assert block_html(Formulas(rows)) == f'<div class="wide" style="overflow-x: auto">{display(rows)}</div>'


def test_equations_are_those_of_the_display():
    derivation = symrnn.derive()
    assert block_html(Equations(derivation.display())) == block_html(
        Formulas(
            (
                DisplayRow(("h_0", r"= \tanh(U x_0 + b_h)")),
                DisplayRow(("h_1", r"= \tanh(U x_1 + V h_0 + b_h)")),
                DisplayRow(("h_2", r"= \tanh(U x_2 + V h_1 + b_h)")),
                DisplayRow(("y", "= W h_2 + b_o")),
            )
        )
    )


def test_step():
    formulas = Formulas((DisplayRow(("a", "= b")),))
    step = NumberedStep(3, prose("Back through $a$"), prose("by R1"), formulas, prose("so"))
    assert block_html(step) == (
        '<section class="step">\n'
        f'<h3 id="step-3"><span><strong>Step 3.</strong> Back through {inline_math("a")}</span>'
        f'<span class="rule">by R1</span></h3>\n{block_html(formulas)}\n'
        '<p class="why"><em>Why:</em> so</p>\n</section>'
    )
    bare = block_html(NumberedStep(3, prose("a"), (), formulas))
    assert "rule" not in bare
    assert "why" not in bare


def test_figure_has_its_caption_with_formulas():
    picture = symrnn.derive().picture()
    text = block_html(figure(picture))
    assert picture.svg() in text
    caption = re.search(r"<figcaption>(.*)</figcaption>\n</figure>$", text, re.DOTALL)[1]
    assert caption.startswith(f"{inline_math('h_t')} adds {inline_math('b_h')} and applies tanh to what arrives. ")
    assert re.search(r"[$\\]", re.sub("<annotation.*?</annotation>", "", caption)) is None


def test_figure_may_have_another_caption_or_none():
    class Drawing:
        alt = "a line"

        def svg(self):
            return "<svg></svg>"

        def tikz(self):
            return ""

    box = '<figure>\n<div class="wide" style="overflow-x: auto"><svg></svg></div>\n'
    assert (
        block_html(Figure(Drawing(), prose("of $h$")))
        == f"{box}<figcaption>of {inline_math('h')}</figcaption>\n</figure>"
    )
    assert block_html(Figure(Drawing())) == f"{box}</figure>"


def test_verbatim():
    assert block_html(Verbatim("a <b>\n  -1")) == '<pre tabindex="0">a &lt;b&gt;\n  -1</pre>'


def test_other_block_is_named():
    @dataclass(frozen=True)
    class Footnote:
        pass

    with pytest.raises(NotImplementedError, match=r"^HTML: no rule for Footnote$"):
        block_html(Footnote())


def test_fragment_has_each_anchor_once():
    formulas = Formulas((DisplayRow(("a", "= b"), "F1"),))
    text = blocks_html([formulas, formulas, Paragraph((' id="eq-F1"',))])
    assert text.count(' id="eq-F1"') == 1
    assert text.count("id=&quot;eq-F1&quot;") == 1
    assert text.count(">(F1)</mtext>") == 2


# pages ------------------------------------------------------------------------------------------


def document(model=None, name="Dense"):
    """A document with a block of each kind, about a model."""
    derivation = symrnn.derive(model)
    gradient = derivation.gradient()
    head, right = ("layer", "symbol", "Keras weight", "shape", "count"), (4,)
    rows = tuple((name, one.name, prose(Code(one.keras)), str(one.shape), "-1.5e-3") for one in derivation.table)
    step = NumberedStep(
        1,
        prose("Back through ", derivation.table[0].name),
        prose("by R1, R2"),
        Formulas(
            (
                DisplayRow((r"\delta_2", r"= \bar h_2\,(1-h_2^2) = 0.5759429\times(1-0.9977128796^2)"), "B3"),
                DisplayRow(("", r"= 0.5759429\times 0.004569010 \approx 0.002631489")),
                DisplayRow(
                    (r"\bar h", r"= \begin{pmatrix} 0.5 & -1 \\ 2 & 1.842536 \times 10^{-4} \end{pmatrix}"), "B4", 3
                ),
            )
        ),
        prose("the slope is taken at $a_2$"),
    )
    return Document(
        name,
        prose("Time steps, ", Code(name)),
        prose("$y = 0.5746256$"),
        (
            Section("model", name, (Table(head, (*rows, ("", "", "", "", "5")), right, prose("In order."), 1),)),
            Section("picture", "The picture", (Figure(derivation.picture()), Figure(derivation.picture(rolled=True)))),
            Section("forward equations", "Forward", (Equations(derivation.display()),)),
            Section("back", "Back", (Paragraph(prose("By $t$.")), step, Equations(gradient.display()))),
            Section("general", "Any t", (Equations(gradient.display("step")), Verbatim(f"{name} " * 40))),
        ),
    )


MODELS = {
    "SimpleRNN": None,
    "LSTM": Sequential([LSTM(2), Dense(1, "sigmoid")], (2, 2)),
    "GRU": Sequential([GRU(2), Dense(3, "softmax")], (2, 2)),
    "GRU with reset before": Sequential([GRU(2, reset_after=False), Dense(1)], (2, 1)),
    "masked both ways": Sequential(
        [Masking(0.5), Bidirectional(SimpleRNN(2, return_sequences=True)), Dense(2)], (3, 2)
    ),
    "long": Sequential([SimpleRNN(1), Dense(1)], (10, 1)),
}


@pytest.fixture(scope="module", params=MODELS)
def page(request):
    return article_html(document(MODELS[request.param]))


def test_page_is_well_formed_and_complete_in_itself(page):
    reader = Reader(page)
    assert page.startswith('<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n')
    assert len(reader.ids) == len(set(reader.ids))
    assert {target.removeprefix("#") for target in reader.targets} <= set(reader.ids)
    assert not {"script", "link", "img", "iframe", "object"} & set(reader.tags)
    assert set(re.findall(r"\w+://[^\"'\s]*", page)) == {
        "http://www.w3.org/1998/Math/MathML",
        "http://www.w3.org/2000/svg",
    }
    assert re.search(r"@import|url\(", page) is None
    assert set(re.findall(r'mathvariant="([^"]*)"', page)) <= {"normal"}


def test_page_has_its_sections_numbered_and_listed(page):
    assert re.findall(r'<h2 id="([^"]*)"><span class="number">(\d)</span>', page) == [
        ("model", "1"),
        ("picture", "2"),
        ("forward-equations", "3"),
        ("back", "4"),
        ("general", "5"),
    ]
    assert re.findall(r'<li><a href="#([^"]*)">', page) == ["model", "picture", "forward-equations", "back", "general"]
    assert page.count("<h1>") == 1


def test_short_page_has_no_contents():
    whole = document()
    assert "<nav" not in article_html(Document("a", (), (), whole.sections[:3]))
    assert "<nav" in article_html(Document("a", (), (), whole.sections[:4]))


def test_names_of_users_are_text_wherever_they_stand():
    plain, hostile = article_html(document(name=PLAIN)), article_html(document(name=BLACK))
    assert tags_of(hostile) == tags_of(plain)
    assert Reader(hostile).ids == Reader(plain).ids
    assert "".join(Reader(hostile).words).count(BLACK) == "".join(Reader(plain).words).count(PLAIN)


# a browser --------------------------------------------------------------------------------------


@needs_browser
def test_a_browser_sets_the_page_without_asking_for_anything(page, tmp_path):
    path = tmp_path / "page.html"
    path.write_text(page, encoding="utf-8")
    measured = measure(path, 900)
    assert measured["requests"] == []
    assert measured["page"] == measured["width"] == 900
    assert len(measured["math"]) == page.count("<math ")
    assert [one for one in measured["math"] if not (one["width"] > 2 and one["height"] > 2)] == []
    assert [one["latex"] for one in measured["math"] if one["content"] > one["room"]] == []
    assert [size for size in measured["svg"] + measured["boxes"] if min(size) < 20 or size[0] > 900] == []


@needs_browser
def test_long_equations_are_broken_so_that_none_is_wider_than_the_page(tmp_path):
    gradient = symrnn.derive(Sequential([LSTM(3), Dense(3, "softmax")], (2, 3))).gradient()
    section = Section("back", "Back", (Equations(gradient.display("scalar")),))
    path = tmp_path / "page.html"
    path.write_text(article_html(Document("LSTM", (), (), (section,))), encoding="utf-8")
    wide, narrow = measure(path, 900), measure(path, 500)
    assert r"\qquad {} +" in wide["math"][0]["latex"]
    assert [one["content"] <= one["room"] for one in wide["math"]] == [True]
    assert [one["content"] <= one["room"] for one in narrow["math"]] == [False]
    assert narrow["page"] == 500


@needs_browser
def test_page_is_seen(page, tmp_path):
    path = tmp_path / "page.html"
    path.write_text(page, encoding="utf-8")
    assert inked(screenshot(path, tmp_path / "page.png")) > 0.2


@needs_browser
def test_nothing_is_seen_on_an_empty_page(tmp_path):
    blank = tmp_path / "blank.html"
    blank.write_text("<!DOCTYPE html><style>body { background: #abc }</style>", encoding="utf-8")
    assert inked(screenshot(blank, tmp_path / "blank.png")) == 0
