"""The command line: what it prints, where it writes, and how it ends."""

import json
import re
import subprocess
import sys

import numpy as np
import pytest

from symrnn import cli
from symrnn.documents.sections.table import SECTIONS
from symrnn.documents.writers import table


def run(*arguments, capsys, monkeypatch):
    """The command line in this process: exit code, standard output, standard error."""
    monkeypatch.setattr(sys, "argv", ["symrnn", *map(str, arguments)])
    code = 0
    try:
        cli.main()
    except SystemExit as ended:
        code = ended.code
    printed = capsys.readouterr()
    return code, printed.out, printed.err


@pytest.fixture
def symrnn(capsys, monkeypatch):
    return lambda *arguments: run(*arguments, capsys=capsys, monkeypatch=monkeypatch)


NOTEBOOK = """\
Model

  layer         symbol  Keras weight      shape   count
  -----------------------------------------------------
  SimpleRNN(1)  U       kernel            (1, 1)      1
                V       recurrent_kernel  (1, 1)      1
                b_h     bias              (1,)        1
  Dense(1)      W       kernel            (1, 1)      1
                b_o     bias              (1,)        1
  -----------------------------------------------------
  Parameters: 5, in the order of get_weights(). Input: 3 time steps, features: 1.

Forward equations

  h_0 = tanh(U x_0 + b_h)
  h_1 = tanh(U x_1 + V h_0 + b_h)
  h_2 = tanh(U x_2 + V h_1 + b_h)
    y = W h_2 + b_o
"""


def test_derive_prints_the_notebook(symrnn):
    assert symrnn("derive") == (0, NOTEBOOK, "")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--zoom", "step"], "h_t = tanh(U x_t + V h_{t-1} + b_h)   (t = 0, ..., T-1)"),
        (["--zoom", "closed", "--timesteps", "1"], "y = W tanh(U x_0 + b_h) + b_o"),
        (["--units", "2", "--timesteps", "2"], "h_1 = tanh(x_1 U + h_0 V + b_h)"),
        (["--activation", "relu"], "h_0 = relu(U x_0 + b_h)"),
        (["--outputs", "2", "--zoom", "scalar"], "y_1 = W_{0,1} h_2 + b_{o,1}"),
        (["--features", "2", "--gradient"], "∂y/∂V = h_0ᵀ δ_1 + h_1ᵀ δ_2"),
        (["--loss", "mae"], "L = |y - y_true|"),
        (["--format", "latex"], r"h_1 &= \tanh(U x_1 + V h_0 + b_h) \\"),
        (["--format", "markdown"], "```math"),
        (["--format", "markdown"], "| `SimpleRNN(1)` | $`U`$ | `kernel` | (1, 1) | 1 |"),
    ],
)
def test_derive_options(symrnn, arguments, line):
    code, out, err = symrnn("derive", *arguments)
    assert (code, err) == (0, "")
    assert line in out


def test_derive_writes_a_file_whole(symrnn, tmp_path):
    place = tmp_path / "derivation.txt"
    place.write_text("before")
    assert symrnn("derive", "-o", place) == (0, "", "")
    assert place.read_text() == NOTEBOOK
    assert symrnn("derive", "--zoom", "stairs", "-o", place)[0] == 2
    assert place.read_text() == NOTEBOOK
    assert [file.name for file in tmp_path.iterdir()] == ["derivation.txt"]


MISTAKES = [
    (["derive", "missing.keras"], "missing.keras: no such file"),
    (["derive", "--units", "0"], "SimpleRNN: units: expected a positive whole number, got 0"),
    (["derive", "--timesteps", "-1"], "input_shape: timesteps: expected a positive whole number, got -1"),
    (["derive", "--zoom", "stairs"], "unknown zoom 'stairs'; known: step, unrolled, scalar, closed"),
    (["derive", "--format", "pdf"], "unknown format 'pdf'; known: text, markdown, latex"),
    (["derive", "--timesteps", "100", "--zoom", "closed", "--units", "3"], None),
    (["derive", "-o", "no/such/folder"], "no/such/folder: expected the name of a file in a folder that exists"),
    (["derive", "model.keras", "--units", "3"], "--units: expected no such option beside MODEL, which has its own"),
    (["check", "--targets", "y.npy"], "--targets: no such file: y.npy"),
    (["check", "--inputs", "pyproject.toml"], "--inputs: expected a .npy file of numbers, got pyproject.toml"),
]


@pytest.mark.parametrize(("arguments", "message"), MISTAKES, ids=lambda value: str(value)[:40])
def test_a_mistake_is_one_line_and_exit_code_2(symrnn, arguments, message, monkeypatch, pytestconfig):
    monkeypatch.chdir(pytestconfig.rootpath)
    code, out, err = symrnn(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith("symrnn: ")
    assert err.count("\n") == 1
    assert message is None or err == f"symrnn: {message}\n"


@pytest.mark.parametrize("arguments", [["derive", "--bogus"], ["derive", "--units", "two"], ["deriv"]])
def test_wrong_options_name_the_help(symrnn, arguments):
    code, out, err = symrnn(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith("symrnn: ")
    assert err.endswith("--help'.\n")
    assert err.count("\n") == 1


def test_help_and_version(symrnn):
    assert symrnn("--help")[1].startswith("Usage: symrnn [OPTIONS] COMMAND [ARGS]...")
    assert "--gradient" in symrnn("derive", "--help")[1]
    assert "--json" in symrnn("check", "--help")[1]
    assert symrnn("--version")[1].startswith("symrnn, version ")


def test_module_is_the_command_line():
    command = [sys.executable, "-m", "symrnn", "derive"]
    assert subprocess.run(command, capture_output=True, text=True, check=True, encoding="utf-8").stdout == NOTEBOOK


def test_derive_does_not_import_keras():
    code = "import sys; sys.argv = ['symrnn', 'derive']; from symrnn.cli import main; main(); "
    check = "assert not {'keras', 'tensorflow', 'h5py'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code + check], capture_output=True, check=True)


def test_unknown_layer(symrnn):
    code, _, err = symrnn("derive", "--layer", "Conv1D")
    assert (code, err) == (2, "symrnn: --layer: expected SimpleRNN, LSTM, GRU, got 'Conv1D'\n")


class TestCheck:
    """With Keras."""

    @pytest.fixture(autouse=True)
    def _keras(self):
        pytest.importorskip("keras")

    def test_notebook(self, symrnn):
        code, out, _ = symrnn("check")
        assert code == 0
        for line in (
            "y = W h_2 + b_o           ≈ 0.5746256",
            "y = W tanh(U x_2 + V tanh(U x_1 + V tanh(U x_0 + b_h) + b_h) + b_h) + b_o",
            "≈ 0.007562379",
            "U       kernel            (1, 1)      1  1.4501959",
            "All agree.",
        ):
            assert line in out
        assert out.count(" agrees\n") == 8

    def test_json(self, symrnn):
        code, out, _ = symrnn("check", "--units", "2", "--json", "--loss", "mse")
        report = json.loads(out)
        assert (code, report["ok"], report["loss"], report["dtype"]) == (0, True, "mse", "float32")
        assert {row["verdict"] for row in report["rows"]} == {"agrees"}

    def test_files(self, symrnn, tmp_path):
        import keras

        place, x, y = (tmp_path / name for name in ("model.keras", "x.npy", "y.npy"))
        layers = [keras.layers.SimpleRNN(2, return_sequences=True), keras.layers.Dense(2, activation="softmax")]
        keras.Sequential([keras.Input((None, 2)), *layers]).save(place)
        np.save(x, np.ones((1, 4, 2)))
        np.save(y, np.eye(2)[None, [0, 1, 0, 1]])
        arguments = ["--loss", "categorical_crossentropy", "--inputs", x, "--targets", y, "-o", tmp_path / "report.txt"]
        assert symrnn("check", place, *arguments)[:2] == (0, "")
        assert "samples: 1, time steps: 4" in (tmp_path / "report.txt").read_text()
        assert "a_t = x_t U + h_{t-1} V + b_h" in symrnn("derive", place, "--zoom", "step", "--gradient")[1]
        assert symrnn("derive", place, "--zoom", "unrolled")[2] == (
            "symrnn: zoom 'unrolled': the model leaves the number of time steps open: "
            "give timesteps, or take zoom 'step'\n"
        )
        assert symrnn("derive", place) == symrnn("derive", place, "--zoom", "step")

    def test_many_time_steps_are_not_written_out(self, symrnn):
        assert symrnn("derive", "--timesteps", "11") == symrnn("derive", "--timesteps", "11", "--zoom", "step")
        assert symrnn("derive", "--timesteps", "10") == symrnn("derive", "--timesteps", "10", "--zoom", "unrolled")

    def test_disagreement_ends_with_1(self, symrnn, monkeypatch):
        whole = cli.check_model

        def wrong(model, x, y_true, loss, derivation, *options):
            from symrnn import Dense, Sequential, SimpleRNN, derive

            other = derive(Sequential([SimpleRNN(1, "relu"), Dense(1)], (3, 1)))
            return whole(model, x, y_true, loss, other, *options)

        monkeypatch.setattr(cli, "check_model", wrong)
        code, out, _ = symrnn("check")
        assert code == 1
        assert " differs\n" in out

    def test_unsupported_layer(self, symrnn, tmp_path):
        import keras

        place = tmp_path / "model.keras"
        keras.Sequential([keras.Input((3, 2)), keras.layers.Conv1D(2, 1)]).save(place)
        code, _, err = symrnn("check", place)
        assert code == 2
        start = (
            f"symrnn: {place}: layer 1 (Conv1D 'conv1d'): Conv1D is not supported; supported: SimpleRNN, LSTM, GRU, "
        )
        assert err.startswith(start)
        assert err.count("\n") == 1

    @pytest.mark.parametrize("layer", ["LSTM", "GRU"])
    def test_gates(self, symrnn, layer):
        code, out, _ = symrnn("check", "--layer", layer, "--units", "2", "--features", "2", "--loss", "mse")
        assert code == 0
        assert "All agree" in out

    def test_a_row_for_each_step(self, symrnn):
        code, out, _ = symrnn("check", "--detail", "steps")
        assert code == 0
        assert [line.split()[0] for line in out.splitlines() if line.strip().startswith("h_")][-3:] == [
            "h_0",
            "h_1",
            "h_2",
        ]

    def test_unknown_detail(self, symrnn):
        code, _, err = symrnn("check", "--detail", "all")
        assert code == 2
        assert err == "symrnn: detail: expected one of model, layers, steps, got 'all'\n"

    def test_arrays_that_hold_objects_are_refused(self, symrnn, tmp_path):
        place = tmp_path / "x.npy"
        np.save(place, np.array([{"a": 1}], dtype=object), allow_pickle=True)
        assert symrnn("check", "--inputs", place)[2].startswith("symrnn: --inputs: expected a .npy file of numbers")


# documents ----------------------------------------------------------------------------------------

_ENDINGS = ".tex .pdf .md .html .ipynb .rst .docx"
_SECTIONS = "model, picture, forward, closed, worked, backward, gradients, slips, check, general, letters"
DOCUMENT_MISTAKES = [
    (["-o", "a.doc"], f"a.doc: expected a name that ends in one of {_ENDINGS}, got .doc"),
    (["-o", "a"], f"a: expected a name that ends in one of {_ENDINGS}, got none"),
    (["-o", "no/a.md"], "no/a.md: expected the name of a file in a folder that exists"),
    (["-o", "a.md", "--sections", "model,proof"], f"sections: expected some of {_SECTIONS}, got 'proof'"),
    (["-o", "a.md", "--without", "proof"], f"--without: expected some of {_SECTIONS}, got 'proof'"),
    (
        ["-o", "a.md", "--sections", "model", "--without", "check"],
        "--without: expected one of --sections and --without, got both",
    ),
    (["-o", "a.md", "--units", "0"], "SimpleRNN: units: expected a positive whole number, got 0"),
    (["-o", "a.md", "--targets", "y.npy"], "--targets: no such file: y.npy"),
    (["-o", "a.md", "--inputs", "x.npy"], "--inputs: no such file: x.npy"),
    (["-o", "a.md", "missing.keras"], "missing.keras: no such file"),
]


class TestDocument:
    """`symrnn document`."""

    @pytest.fixture(autouse=True)
    def _here(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)

    @pytest.mark.parametrize(("arguments", "message"), DOCUMENT_MISTAKES, ids=lambda value: str(value)[:40])
    def test_a_mistake_is_one_line_and_leaves_nothing(self, symrnn, arguments, message, tmp_path):
        assert symrnn("document", *arguments) == (2, "", f"symrnn: {message}\n")
        assert list(tmp_path.iterdir()) == []

    def test_an_output_is_needed(self, symrnn):
        code, out, err = symrnn("document")
        assert (code, out) == (2, "")
        assert "Missing option '-o' / '--output'" in err

    @pytest.mark.parametrize("ending", ["tex", "md"])
    def test_all_sections_but_some(self, symrnn, ending, tmp_path):
        assert symrnn("document", "-o", f"a.{ending}", "--without", "check, letters") == (0, "", "")
        text = (tmp_path / f"a.{ending}").read_text()
        heads = re.findall(r"^(?:## |\\section\{)(.*?)\}?$", text, re.MULTILINE)
        assert heads == [title for name, (title, _) in SECTIONS.items() if name not in ("check", "letters")]

    def test_chosen_sections(self, symrnn, tmp_path):
        arguments = ["--sections", "worked, model", "--title", "A <title>", "--timesteps", "2", "--units", "2"]
        assert symrnn("document", "-o", "a.md", *arguments) == (0, "", "")
        text = (tmp_path / "a.md").read_text()
        assert re.findall(r"^#+ (.*)", text, re.MULTILINE) == [r"A \<title\>", "Worked example", "The model"]
        assert [file.name for file in tmp_path.iterdir()] == ["a.md"]

    def test_the_seed(self, symrnn, tmp_path):
        for name, seed in (("a", 0), ("b", 0), ("c", 1)):
            symrnn("document", "-o", f"{name}.md", "--sections", "worked", "--seed", seed, "--units", "2")
        a, b, c = ((tmp_path / f"{name}.md").read_text() for name in "abc")
        assert a == b != c

    def test_files_of_numbers(self, symrnn, tmp_path):
        np.save("x.npy", np.array([[0.5], [0.25]]))
        np.save("y.npy", np.array([2.0]))
        arguments = ["--timesteps", "2", "--loss", "mse", "--inputs", "x.npy", "--targets", "y.npy"]
        assert symrnn("document", "-o", "a.md", "--sections", "worked", *arguments) == (0, "", "")
        text = (tmp_path / "a.md").read_text()
        assert r"\times 0.25" in text
        assert symrnn("document", "-o", "b.md", "--targets", "y.npy") == (
            *(2, ""),
            "symrnn: --targets: expected --loss with it, got none\n",
        )

    def test_several_samples_are_refused(self, symrnn, tmp_path):
        np.save("x.npy", np.ones((2, 3, 1)))
        assert symrnn("document", "-o", "a.md", "--inputs", "x.npy") == (
            *(2, ""),
            "symrnn: x: expected one sample, which a document works out, got 2\n",
        )
        assert [file.name for file in tmp_path.iterdir()] == ["x.npy"]

    def test_a_file_that_was_there_stays_where_it_fails(self, symrnn, tmp_path, monkeypatch):
        (tmp_path / "a.tex").write_text("before")
        monkeypatch.setitem(table.WRITERS, ".tex", lambda *arguments: (_ for _ in ()).throw(OSError("no room")))
        assert symrnn("document", "-o", "a.tex", "--sections", "model") == (2, "", "symrnn: no room\n")
        assert (tmp_path / "a.tex").read_text() == "before"
        assert [file.name for file in tmp_path.iterdir()] == ["a.tex"]

    def test_without_pdflatex(self, symrnn, monkeypatch):
        monkeypatch.setattr("shutil.which", lambda name: None)
        code, out, err = symrnn("document", "-o", "a.pdf", "--sections", "model")
        assert (code, out) == (2, "")
        assert err.startswith("symrnn: pdflatex: not found; a PDF needs a TeX installation, on Debian: apt-get install")
        assert err.count("\n") == 1

    def test_progress_is_told_on_the_error_stream(self, tmp_path):
        steps = "progress('thinking'); time.sleep(1.5); progress('writing'); return {'': 'x'}"
        slow = f"def slow(made, stem, progress): {steps}"
        code = (
            f"import sys, time\nfrom symrnn import cli\nfrom symrnn.documents.writers import table\n{slow}\n"
            "table.WRITERS['.md'] = slow\n"
            "sys.argv = ['symrnn', 'document', '-o', 'a.md', '--sections', 'model']\ncli.main()"
        )
        run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
        assert (run.stdout, run.stderr) == ("", "symrnn: thinking ...\nsymrnn: writing ...\n")

    def test_help(self, symrnn):
        code, out, _ = symrnn("document", "--help")
        assert code == 0
        assert "--without" in out
        assert _SECTIONS in " ".join(out.split())


def test_missing_keras_is_named(symrnn, monkeypatch):
    monkeypatch.setitem(sys.modules, "keras", None)
    code, _, err = symrnn("check")
    assert code == 2
    assert err.startswith("symrnn: check needs Keras and TensorFlow (")
    assert err.endswith("pip install 'symrnn[keras]' installs them\n")
