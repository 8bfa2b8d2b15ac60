r"""LaTeX as MathML: exact short formulas, laws of all that is printed of the bank, and how a browser sets it."""

import re
import sys
from unicodedata import normalize
from xml.etree import ElementTree

import pytest

pytest.importorskip("latex2mathml", reason="MathML needs latex2mathml")

import symrnn
from symrnn.typesetting.equations import lines_of
from symrnn.typesetting.layout import DisplayRow, rows
from symrnn.typesetting.mathml import display, inline_math
from symrnn.typesetting.styles import LATEX
from tests.support.bank import SAMPLE
from tests.support.browser import measure, needs_browser

NAMESPACE = "{http://www.w3.org/1998/Math/MathML}"
CORE = {
    *("math", "semantics", "annotation", "mrow", "mi", "mn", "mo", "mtext", "mspace", "mfrac", "msqrt", "mroot"),
    *("msub", "msup", "msubsup", "munder", "mover", "munderover", "mtable", "mtr", "mtd", "mstyle", "mpadded"),
}
TAG = re.compile(r"<math[^>]*><semantics><mrow>(.*)</mrow><annotation .*</annotation></semantics></math>", re.DOTALL)
BAR = '<mo stretchy="false" style="padding-bottom: 0.06em">¯</mo>'
TILDE = BAR.replace("¯", "˜")
OPEN, CLOSE = '<mo stretchy="false">(</mo>', '<mo stretchy="false">)</mo>'
THIN = '<mspace width="0.1667em" />'


def within(latex):
    """What is in the row of a formula."""
    found = TAG.fullmatch(inline_math(latex))
    assert found
    return found[1]


FORMULAS = [
    (r"\mathbf 1", "<mn>𝟏</mn>"),
    (r"\mathbf I", "<mi>𝐈</mi>"),
    (r"x^{\mathsf T}", "<msup><mi>x</mi><mi>𝖳</mi></msup>"),
    (r"\mathit{hard}", "<mi>ℎ𝑎𝑟𝑑</mi>"),
    (r"\boldsymbol{h}", "<mi>𝒉</mi>"),
    (r"\mathbb R", "<mi>ℝ</mi>"),
    (r"\mathrm{d}", '<mi mathvariant="normal">d</mi>'),
    (r"\mathrm{hard\_sigmoid}(a)", f"<mi>hard_sigmoid</mi>{OPEN}<mi>a</mi>{CLOSE}"),
    (r"\mathrm{relu6}", "<mi>relu6</mi>"),
    (r"y_{\mathrm{true},0}", '<msub><mi>y</mi><mrow><mi>true</mi><mo rspace="0">,</mo><mn>0</mn></mrow></msub>'),
    (r"\bar h_t", f'<msub><mover accent="true"><mi>h</mi>{BAR}</mover><mi>t</mi></msub>'),
    (r"\bar{\tilde h}", f'<mover accent="true"><mover accent="true"><mi>h</mi>{TILDE}</mover>{BAR}</mover>'),
    (r"\overline{ab}", f'<mover accent="true"><mrow><mi>a</mi><mi>b</mi></mrow>{BAR.replace("false", "true")}</mover>'),
    (r"\tanh a", f"<mi>tanh</mi>{THIN}<mi>a</mi>"),
    (r"\tanh(a)", f"<mi>tanh</mi>{OPEN}<mi>a</mi>{CLOSE}"),
    (r"x \tanh^2 a", f"<mi>x</mi>{THIN}<msup><mi>tanh</mi><mn>2</mn></msup>{THIN}<mi>a</mi>"),
    (r"\operatorname{diag}(a)", f"<mi>diag</mi>{OPEN}<mi>a</mi>{CLOSE}"),
    (r"\max(a)", f"<mi>max</mi>{OPEN}<mi>a</mi>{CLOSE}"),
    (
        r"\max_t h",
        '<munder><mo movablelimits="true" form="prefix" lspace="0" rspace="0.1667em">max</mo><mi>t</mi></munder>'
        "<mi>h</mi>",
    ),
    (r"\sum_t (a)", f'<munder><mo lspace="0" rspace="0">∑</mo><mi>t</mi></munder>{OPEN}<mi>a</mi>{CLOSE}'),
    (r"a - b", "<mi>a</mi><mo>−</mo><mi>b</mi>"),
    (r"-b", '<mo form="prefix">−</mo><mi>b</mi>'),
    (r"{}- b", '<mrow /><mo form="infix">−</mo><mi>b</mi>'),
    (r"2 \times (-1)", f'<mn>2</mn><mo>×</mo>{OPEN}<mo form="prefix">−</mo><mn>1</mn>{CLOSE}'),
    (r"\qquad \times b", '<mspace width="2em" /><mo lspace="0" rspace="0">×</mo><mi>b</mi>'),
    (r"10^{-4}", '<msup><mn>10</mn><mrow><mo form="prefix">−</mo><mn>4</mn></mrow></msup>'),
    (r"a = -b", '<mi>a</mi><mo>=</mo><mo form="prefix">−</mo><mi>b</mi>'),
    (r"h_{t-1}", '<msub><mi>h</mi><mrow><mi>t</mi><mo lspace="0" rspace="0">−</mo><mn>1</mn></mrow></msub>'),
    (r"V h", '<mi>V</mi><mspace width="0.18em" /><mi>h</mi>'),
    (r"\frac{\partial y}{2} a", f"<mfrac><mrow><mi>∂</mi><mi>y</mi></mrow><mn>2</mn></mfrac>{THIN}<mi>a</mi>"),
    (
        r"a[0{:}1]",
        OPEN.join(("<mi>a</mi>", "<mn>0</mn><mi>:</mi><mn>1</mn>")).replace("(", "[") + CLOSE.replace(")", "]"),
    ),
    (
        r"2 \lvert x \rvert",
        '<mn>2</mn><mo stretchy="false" fence="true" form="prefix">|</mo><mi>x</mi>'
        '<mo stretchy="false" fence="true" form="postfix">|</mo>',
    ),
    (r"x < 0", "<mi>x</mi><mo>&lt;</mo><mn>0</mn>"),
    (r"\text{a < b \& c\_d}", "<mtext>a\xa0&lt;\xa0b\xa0&amp;\xa0c_d</mtext>"),
]


@pytest.mark.parametrize(("latex", "expected"), FORMULAS)
def test_formula(latex, expected):
    assert within(latex) == expected


def test_formula_of_nothing_is_an_empty_row():
    assert inline_math("").partition("<semantics>")[2].startswith("<mrow /><annotation")


def test_formula_keeps_its_latex_to_be_copied():
    annotation = ElementTree.fromstring(inline_math(r"a < \bar b"))[0][1]
    assert (annotation.get("encoding"), annotation.text) == ("application/x-tex", r"a < \bar b")


def test_matrix_has_numbers_to_the_right_within_its_brackets():
    found = within(r"A \begin{pmatrix} 1 & -2 \\ \dots & x \end{pmatrix} + 1")
    sides = re.findall(r"text-align: -webkit-(\w+); padding: 0.18em (\S+) 0.18em (\d\.\dem)", found)
    near, far = ("0.4em", "0.1em"), ("0.1em", "0.4em")
    assert sides == [("right", *near), ("right", *far), ("center", *near), ("center", *far)]
    assert re.search(r"<mrow><mo>\(</mo><mtable>.*</mtable><mo>\)</mo></mrow><mo>\+</mo>", found)


def test_cases_are_set_to_the_left():
    found = within(r"\begin{cases} 1 & \text{if } x > 0 \\ 0 & \text{else} \end{cases}")
    assert found.count("text-align: left") == 4
    assert found.startswith('<mrow><mo stretchy="true" fence="true" form="prefix">{</mo><mtable>')


@pytest.mark.parametrize(
    ("latex", "reason"),
    [
        (r"\nothing x", r"what MathML has, got \nothing"),
        (r"a & b", "what MathML has, got &"),
        (r"a \\ b", r"what MathML has, got \\"),
        (r"\begin{aligned} a &= b \end{aligned}", "what MathML has, got &"),
        (r"\text{\emph b}", r"what MathML has, got \emph b"),
        (r"\frac{a}", "what MathML has, got mfrac of 1"),
        (r"a}", "what MathML has, got }"),
        (r"\left( a", "LaTeX, got ExtraLeftOrMissingRightError"),
        (r"a_b_c", "LaTeX, got DoubleSubscriptsError"),
    ],
)
def test_what_has_no_mathml_is_named(latex, reason):
    message = f"^{re.escape(f'formula {latex}: expected {reason}')}$"
    with pytest.raises(ValueError, match=message):
        inline_math(latex)
    with pytest.raises(ValueError, match=message):
        display([DisplayRow(("a", latex))])


def test_missing_library_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "latex2mathml.converter", None)
    message = r"^MathML needs latex2mathml \(.*\); pip install 'symrnn\[docs\]' installs it$"
    with pytest.raises(ImportError, match=message):
        inline_math("a_{never\\,before}")


# displays ---------------------------------------------------------------------------------------


def table_of(text):
    """The rows of a display, each a list of its cells."""
    table = ElementTree.fromstring(text).find(f"{NAMESPACE}semantics/{NAMESPACE}mtable")
    assert table is not None
    assert table.get("displaystyle") == "true"
    return [list(row) for row in table]


def test_cells_are_aligned_in_turn():
    (cells,) = table_of(display([DisplayRow(("a", "= b", "c", "= d"))]))
    assert [re.search(r"-webkit-(\w+)", cell.get("style"))[1] for cell in cells] == ["right", "left", "right", "left"]
    assert [cell.get("style").rpartition(" ")[2] for cell in cells] == ["0", "0", "1.5em", "0"]


def test_equals_at_the_beginning_has_its_spaces():
    (cells,) = table_of(display([DisplayRow(("a", "= b"))]))
    assert cells[1][0].attrib == {"form": "infix"}
    assert within("= b").startswith('<mo form="infix" lspace="0">=</mo>')


def test_gap_is_room_above():
    first, second = table_of(display([DisplayRow(("a", "= b")), DisplayRow(("", r"\qquad {} + c"), gap=6)]))
    assert "padding: 0.3em 0 0.3em 0" in first[0].get("style")
    assert "padding: calc(0.3em + 6pt) 0 0.3em 0" in second[0].get("style")
    assert len(second[0]) == 0


def test_tags_are_anchors_once():
    text = display(
        [
            DisplayRow(("a", "= b"), "F0"),
            DisplayRow(("", "+ c")),
            DisplayRow(("d", "= e"), "F0"),
            DisplayRow(("f", "= g"), "B 1<"),
        ]
    )
    tags = ["".join(row[-1].itertext()) for row in table_of(text)]
    assert tags == ["(F0)", "", "(F0)", "(B 1<)"]
    assert re.findall(r' id="([^"]*)"', text) == ["eq-F0", "eq-B-1-"]


def test_rows_of_unequal_length_are_filled():
    short, long = table_of(display([DisplayRow(("a", "= b")), DisplayRow(("c", "= d", "", "= 1"))]))
    assert len(short) == len(long) == 4
    assert not len(short[3])


# laws -------------------------------------------------------------------------------------------


def displays():
    """Rows of everything that the models of the bank print, forward and back."""
    for case in SAMPLE.values():
        derivation = case.derivation
        for one in (derivation, derivation.gradient()):
            for zoom in ("step", "unrolled", "scalar"):
                if zoom != "scalar" or not derivation.is_scalar:
                    yield tuple(rows(lines_of(one.display(zoom), LATEX), room=430))


LOSS = symrnn.Sequential([symrnn.LSTM(2), symrnn.Dense(3, "softmax")], (2, 2))


@pytest.fixture(scope="module")
def printed():
    """The displays of the bank with their MathML."""
    loss = rows(lines_of(symrnn.derive(LOSS).gradient("categorical_crossentropy").display(), LATEX), room=430)
    found = {key: display(key) for key in {*displays(), tuple(loss)}}
    assert len(found) > 100
    return found


def test_all_that_is_printed_is_mathml_core(printed):
    for text in printed.values():
        for element in ElementTree.fromstring(text).iter():
            assert element.tag.removeprefix(NAMESPACE) in CORE
            assert element.get("mathvariant", "normal") == "normal"
            assert "columnalign" not in element.attrib
            assert element.tag == f"{NAMESPACE}annotation" or not re.search(r"[\\&{}]", element.text or "")


def test_all_that_is_printed_keeps_its_numbers(printed):
    for lines, text in printed.items():
        for row, cells in zip(lines, table_of(text), strict=True):
            for latex, cell in zip(row.cells, cells, strict=False):
                numbers = [normalize("NFKC", element.text) for element in cell.iter(f"{NAMESPACE}mn")]
                assert numbers == re.findall(r"\d+(?:\.\d+)?", latex)


def test_a_minus_is_a_sign_where_it_has_nothing_to_subtract_from(printed):
    for text in printed.values():
        for row in ElementTree.fromstring(text).iter(f"{NAMESPACE}mrow"):
            parts = list(row)
            for before, part in zip([None, *parts], parts, strict=False):
                if part.tag == f"{NAMESPACE}mo" and part.text == "−":
                    sign = before is None or (before.tag == f"{NAMESPACE}mo" and before.text in "([=+−×⊙,")
                    assert (part.get("form") == "prefix") == sign


@needs_browser
def test_a_browser_sets_all_that_is_printed(printed, tmp_path):
    """Each formula has a size, and none needs more than the room that its lines were broken for."""
    boxes = "\n".join(f'<div style="overflow-x: auto">{text}</div>' for text in printed.values())
    style = "<style>body { margin: 0; width: 46em; font-size: 17px } math { font-family: Latin Modern Math }</style>"
    page = tmp_path / "page.html"
    page.write_text(f"<!DOCTYPE html><meta charset='utf-8'>{style}{boxes}", encoding="utf-8")
    measured = measure(page)
    assert len(measured["math"]) == len(printed)
    assert [one for one in measured["math"] if not (one["width"] > 10 and one["height"] > 10)] == []
    assert [one["latex"] for one in measured["math"] if one["content"] > one["room"]] == []


@needs_browser
def test_limits_stand_beside_a_sum_in_a_line_and_below_it_in_a_display(tmp_path):
    page = tmp_path / "page.html"
    sums = [r"\sum_{t=0}^{T-1} x_t", r"\max_{t=0,\dots,T-1} x_t"]
    texts = [*map(inline_math, sums), *(display([DisplayRow((latex,))]) for latex in sums)]
    page.write_text(f"<!DOCTYPE html><meta charset='utf-8'>{'<br>'.join(texts)}", encoding="utf-8")
    heights = [one["height"] for one in measure(page)["math"]]
    assert heights[0] < 0.7 * heights[2]
    assert heights[1] < 0.9 * heights[3]
