"""How the command line ends: one line that says what, and an exit code that means one thing."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SYMRNN = [sys.executable, "-m", "symrnn"]


def run(*arguments, **options):
    return subprocess.run([*SYMRNN, *arguments], capture_output=True, text=True, check=False, **options)


REFUSED = {
    "an option": (
        ["derive", "--picture"],
        "No such option '--picture'. Did you mean '--features'? See 'symrnn derive --help'.",
    ),
    "a command": (["nothing"], "No such command 'nothing'. See 'symrnn --help'."),
    "a number": (
        ["check", "--units", "a"],
        "Invalid value for '--units': 'a' is not a valid integer. See 'symrnn check --help'.",
    ),
    "a zoom": (["derive", "--zoom", "x"], "unknown zoom 'x'; known: step, unrolled, scalar, closed"),
    "no file": (["derive", "no.keras"], "no.keras: no such file"),
    "a name for the terminal": (["derive", "\x1b]0;t\x07.keras"], "\\x1b]0;t\\x07.keras: no such file"),
    "a long name": (["derive", "a" * 240 + ".keras"], f"{'a' * 197}...: no such file"),
    "a format": (
        ["document", "-o", "-"],
        "-: expected a name that ends in one of .tex .pdf .md .html .ipynb .rst .docx, got none",
    ),
}


@pytest.mark.parametrize(("arguments", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_wrong_is_one_line(arguments, message, tmp_path):
    found = run(*arguments, cwd=tmp_path)
    assert (found.returncode, found.stdout, found.stderr) == (2, "", f"symrnn: {message}\n")


def test_a_full_device():
    with open("/dev/full", "w") as full:
        found = subprocess.run([*SYMRNN, "derive"], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (found.returncode, found.stderr) == (2, "symrnn: standard output: No space left on device\n")


def test_a_closed_pipe_is_the_end():
    read, write = os.pipe()
    os.close(read)
    found = subprocess.run([*SYMRNN, "derive"], stdout=write, stderr=subprocess.PIPE, text=True, check=False)
    os.close(write)
    assert (found.returncode, found.stderr) == (0, "")


@pytest.mark.parametrize("output", ["-", "/dev/stdout"])
def test_the_standard_output_by_name(output):
    assert run("derive", "-o", output).stdout == run("derive").stdout


@pytest.mark.parametrize("command", [SYMRNN, [str(Path(sys.executable).with_name("symrnn"))]], ids=["module", "script"])
@pytest.mark.parametrize(
    ("code", "ends"),
    [
        ("import os, signal\nos.kill(os.getpid(), signal.SIGINT)", (130, "interrupted")),
        ("raise ImportError('no SymPy')", (2, "no SymPy; pip install symrnn installs what it needs")),
    ],
    ids=["interrupted", "missing"],
)
def test_what_stops_symrnn_while_it_is_loaded(command, code, ends, tmp_path):
    """A module in the place of SymPy, which is loaded first of all that takes time."""
    (tmp_path / "sympy.py").write_text(code)
    path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    found = subprocess.run(
        [*command, "derive"], capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": path}
    )
    assert (found.returncode, found.stdout, found.stderr) == (ends[0], "", f"symrnn: {ends[1]}\n")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_document_leaves_nothing(number, code, tmp_path):
    """The signal comes while the document is made: its first line of progress has been told."""
    slow = (
        "import time\nfrom symrnn import cli\nfrom symrnn.documents import composing\n"
        "composing.document = lambda *given: (print('begun', flush=True), time.sleep(30))\n"
        "import sys; sys.argv = ['symrnn', 'document', '-o', 'a.md']; cli.main()"
    )
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    process = subprocess.Popen(
        [sys.executable, "-c", slow], cwd=tmp_path, env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout.readline() == "begun\n"
    time.sleep(0.2)
    process.send_signal(number)
    _, told = process.communicate(timeout=20)
    assert process.returncode == code
    assert "Traceback" not in told
    assert list(tmp_path.iterdir()) == []
