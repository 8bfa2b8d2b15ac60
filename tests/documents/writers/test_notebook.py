"""Notebooks: what stands in them, and that they run to what they show."""

import re
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

import symrnn
from symrnn import GRU, Dense, Loss, Sequential
from symrnn.common.display import mimebundle
from symrnn.documents.blocks import Origin, Section
from symrnn.documents.document import Document
from symrnn.documents.inline import Code, prose
from symrnn.documents.writers.notebook import Given, Try, article_notebook, literal, notebook_json, setup_code, tries
from symrnn.models.lecture import NOTEBOOK, NOTEBOOK_WEIGHTS, NOTEBOOK_X

nbformat = pytest.importorskip("nbformat")
ROOT = Path(__file__).parents[3]


@dataclass(frozen=True)
class Shown(Section):
    """A section that shows what it is called."""


@mimebundle.register
def _(section: Shown):
    return {"text/html": f"<p>{section.title}</p>", "text/markdown": section.title, "text/plain": section.title}


def document(*names, title="A model", summary=()):
    return Document(title, prose("of $T$ steps"), summary, tuple(Shown(name, name.title(), ()) for name in names))


def cells(text):
    return nbformat.reads(text, as_version=4).cells


def test_cells_in_order():
    value = np.array([[0.5]])
    text = notebook_json(document("model", "forward"), "d = 1", {"forward": [Try("d.lambdify()(x, weights)", value)]})
    assert [(cell.cell_type, cell.id, cell.source, cell.get("execution_count")) for cell in cells(text)] == [
        ("markdown", "title", "# A model\n\nof $T$ steps", None),
        ("code", "setup", "d = 1", 1),
        ("markdown", "model-title", "## Model", None),
        ("code", "model-shown", "document['model']", 2),
        ("markdown", "forward-title", "## Forward", None),
        ("code", "forward-shown", "document['forward']", 3),
        ("code", "forward-try-1", "d.lambdify()(x, weights)", 4),
    ]
    shown = cells(text)[5].outputs[0]
    assert shown.data == {"text/html": "<p>Forward</p>", "text/markdown": "Forward", "text/plain": "Forward"}
    assert shown.execution_count == 3
    assert cells(text)[6].outputs[0].data == {"text/plain": "array([[0.5]])"}


def test_it_is_valid_and_the_same_each_time():
    made = document("a", "b")
    text = notebook_json(made, "pass")
    assert text == notebook_json(made, "pass")
    assert text.endswith("}\n")
    nbformat.validate(nbformat.reads(text, as_version=4))
    assert nbformat.reads(text, as_version=4).metadata.kernelspec.name == "python3"


def test_odd_names_make_names_of_cells():
    odd = document("größe/'\"\n", "größe/'\"\t", "x" * 99, "")
    names = [cell.id for cell in cells(notebook_json(odd, "pass"))]
    assert len(set(names)) == len(names) == 10
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name) for name in names)
    assert eval(cells(notebook_json(odd, "pass"))[3].source, {"document": {"größe/'\"\n": 1}}) == 1


def test_text_is_not_read_as_markdown():
    summary = (*prose("the layer ", Code("a`b $x$"), ", **loud**, *soft*"), "2 * 3_ $5 <b>")
    text = cells(notebook_json(document(title="*x*\n# y", summary=summary), "pass"))[0].source
    assert text == (
        "# \\*x\\* \\# y\n\nof $T$ steps\n\nthe layer `` a`b $x$ ``, **loud**, *soft*2 \\* 3\\_ \\$5 \\<b\\>"
    )


# the code ---------------------------------------------------------------------------------------


def test_setup_of_a_model():
    model = Sequential([GRU(1), Dense(1)], (2, 1))
    assert setup_code(model, x=[[1.0], [0.1]], loss=Loss("huber", delta=2.0), check=False, sections=["model"]) == (
        "import symrnn\n\n"
        "model = symrnn.Sequential([symrnn.GRU(1), symrnn.Dense(1)], input_shape=(2, 1))\n"
        "d = symrnn.derive(model)\n"
        "x = [[1.0], [0.1]]\n"
        "document = d.document(x=x, loss=symrnn.Loss('huber', delta=2.0), check=False, sections=['model'])"
    )


def test_setup_of_a_file():
    assert setup_code("a 'b'.keras", 5, x=Given("np.load('x.npy')"), loss="mse") == (
        "import numpy as np\nimport symrnn\n\n"
        "d = symrnn.derive(\"a 'b'.keras\", timesteps=5)\n"
        "x = np.load('x.npy')\n"
        "weights = d.weights\n"
        "document = d.document(x=x, loss='mse', weights=weights)"
    )


def test_numbers_that_are_drawn_have_variables_only():
    code = setup_code(NOTEBOOK, numbers={"x": [1.0], "weights": [[2.0]]}, weights=[[3.0]], seed=4)
    assert code.splitlines()[-3:] == [
        "x = [1.0]",
        "weights = [[3.0]]",
        "document = d.document(weights=weights, seed=4)",
    ]


RNG = np.random.default_rng(0)
VALUES = {
    "numbers": [0.1 + 0.2, -0.0, 1e-320, 7, True, None, "a'b"],
    "infinite": np.array([np.inf, -np.inf]),
    "float64": RNG.normal(size=(4, 5)),
    "float32": RNG.normal(size=(4, 5)).astype("float32"),
    "int32": np.arange(3, dtype="int32"),
    "int64": np.arange(3),
    "scalar": np.array(0.1, "float32"),
    "empty": np.zeros((0, 3), "float32"),
    "one": np.float32(0.1),
    "large": RNG.normal(size=(7, 30)),
    "large float32": RNG.normal(size=(7, 30)).astype("float32").T,
    "weights": [RNG.normal(size=(2, 2)), [0.5], RNG.normal(size=300)],
    "by name": {"U": np.ones((1, 1)), "V": [[2.0]]},
}


def same(read, value):
    if isinstance(value, list):
        return len(read) == len(value) and all(map(same, read, value))
    if isinstance(value, dict):
        return read.keys() == value.keys() and all(same(read[name], value[name]) for name in value)
    read, value = np.asarray(read), np.asarray(value)
    return read.shape == value.shape and read.tobytes() == value.astype(read.dtype).tobytes()


@pytest.mark.parametrize("name", VALUES)
def test_values_are_read_back_exactly(name):
    value = VALUES[name]
    names = {}
    exec(setup_code(NOTEBOOK, x=value).rpartition("\n")[0], names)
    assert same(names["x"], value)
    if isinstance(value, np.ndarray):
        assert np.asarray(names["x"]).dtype == value.dtype


def test_long_lists_have_a_line_for_each_part():
    code = setup_code(NOTEBOOK, weights=[np.full((3, 3), 0.125)] * 2)
    row = "[[0.125, 0.125, 0.125], [0.125, 0.125, 0.125], [0.125, 0.125, 0.125]]"
    assert f"\nweights = [\n    {row},\n    {row},\n]\n" in code


def test_too_many_numbers_are_refused():
    with pytest.raises(
        ValueError,
        match=r"^notebook: weights: expected at most 100000 numbers to write into a cell, got 100001; "
        r"derive from the path of a file, which the notebook then reads$",
    ):
        setup_code(NOTEBOOK, weights=[np.zeros(100_000), [0.0]])


def test_objects_are_refused():
    with pytest.raises(NotImplementedError, match=r"^an array of object has no code; supported: numbers$"):
        literal(np.array([object()]))


def test_a_missing_nbformat_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "nbformat", None)
    with pytest.raises(
        ImportError,
        match=r"^a notebook needs nbformat \(import of nbformat halted; None in sys.modules\); "
        r"pip install 'symrnn\[docs\]' installs it$",
    ):
        notebook_json(document("a"), "pass")


# a run ------------------------------------------------------------------------------------------


def results(document):
    return document.origin.results()


def test_tries_show_what_the_numbers_give():
    d = symrnn.derive()
    x, weights, y_true = NOTEBOOK_X, NOTEBOOK_WEIGHTS, [1.0]
    huber = Loss("huber", delta=2.0)
    found = tries(*results(d.document(["worked"], x, weights=weights)))
    assert [one.code for ones in found.values() for one in ones] == [
        "d.lambdify()(x, weights)",
        "d.gradient().lambdify()(x, weights)",
    ]
    with_loss = tries(*results(d.document(["worked"], x, y_true, weights, huber)), huber)
    for one in (*found["worked"], *found["gradients"], *with_loss["gradients"]):
        names = {"symrnn": symrnn, "d": d, "x": x, "weights": weights, "y_true": y_true}
        np.testing.assert_equal(eval(one.code, names), one.value)


def test_a_document_knows_what_it_was_made_of():
    given = {"x": [1.0, 2.0, 3.0], "weights": NOTEBOOK_WEIGHTS, "loss": "mse", "y_true": [0.5], "check": None}
    made = replace(document("worked", "gradients"), origin=Origin(NOTEBOOK, given, results=lambda: (0.5, [1.0])))
    found = [cell.source for cell in cells(article_notebook(made)) if cell.cell_type == "code"]
    assert found[0] == setup_code(NOTEBOOK, **given)
    assert found[2:] == [
        "d.lambdify()(x, weights)",
        "document['gradients']",
        "d.gradient('mse').lambdify()(x, y_true, weights)",
    ]


@pytest.mark.parametrize("given", [{}, {"x": NOTEBOOK_X}, {"weights": NOTEBOOK_WEIGHTS}])
def test_without_results_there_is_nothing_to_change(given):
    made = replace(document("worked"), origin=Origin(NOTEBOOK, given))
    assert [cell.id for cell in cells(article_notebook(made))] == ["title", "setup", "worked-title", "worked-shown"]


def test_a_loss_without_target_has_no_gradients_to_change():
    given = {"x": NOTEBOOK_X, "weights": NOTEBOOK_WEIGHTS, "loss": "mse"}
    origin = Origin(NOTEBOOK, given, results=lambda: (0.5, None))
    made = replace(document("worked", "gradients"), origin=origin)
    assert [cell.id for cell in cells(article_notebook(made)) if "try" in cell.id] == ["worked-try-1"]


def test_a_document_of_nothing_is_refused():
    message = r"^notebook: expected a document that a derivation has made, got one without an origin$"
    with pytest.raises(ValueError, match=message):
        article_notebook(document("worked"))


@pytest.mark.parametrize("loss", [None, "mse"])
def test_a_document_runs_to_what_it_shows(loss):
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    model = NOTEBOOK if loss is None else Sequential([GRU(2, return_sequences=True), Dense(1)], (2, 2))
    given = {"x": [[0.5, -1.0], [0.25, 2.0]], "y_true": [[0.1], [0.2]], "loss": loss} if loss else {}
    weights = [RNG.normal(size=(2, 6)), RNG.normal(size=(2, 6)), np.zeros((2, 6)), [[0.5], [1.5]], [0.0]]
    given |= {"weights": weights} if loss else {}
    text = article_notebook(symrnn.derive(model).document(**given, check=False))
    ran = nbformat.reads(text, as_version=4)
    nbclient.NotebookClient(ran, timeout=60, resources={"metadata": {"path": str(ROOT)}}).execute()
    assert [cell.get("outputs") for cell in ran.cells] == [cell.get("outputs") for cell in cells(text)]
    tried = [cell for cell in ran.cells if "-try-" in cell.id]
    assert [cell.id for cell in tried] == ["worked-try-1", "gradients-try-1"]
    if loss is None:
        assert "0.5746256" in tried[0].outputs[0].data["text/plain"]
