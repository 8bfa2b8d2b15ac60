"""The command line: `symrnn derive`, `symrnn check` and `symrnn document`."""

import contextlib
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from tokenize import TokenError
from typing import Any, NoReturn

import click
import numpy as np

from symrnn.checking.checks import DETAILS, check_model
from symrnn.checking.keras_models import build, load
from symrnn.common.errors import cut, cut_repr
from symrnn.common.terminal import one_line, visible
from symrnn.derivations.derivation import ZOOMS, Derivation
from symrnn.derivations.numbers import values
from symrnn.documents import composing
from symrnn.documents.blocks import Section, Verbatim
from symrnn.documents.sections.table import SECTIONS
from symrnn.documents.writers import files
from symrnn.documents.writers.table import WRITERS, save, writer_of
from symrnn.model_options import DEFAULTS, RECURRENT, described
from symrnn.models.graph import graph_of
from symrnn.models.lecture import NOTEBOOK, NOTEBOOK_WEIGHTS, NOTEBOOK_X
from symrnn.models.losses import LOSSES


def _either(names: Iterable[str]) -> str:
    """SimpleRNN, LSTM or GRU."""
    *others, last = names
    return f"{', '.join(others)} or {last}" if others else last


def _first(names: Iterable[str]) -> str:
    """Three of many names: mse, mae, mape, ..."""
    return ", ".join([*islice(names, 3), "..."])


def _model_options(command: Callable[..., None]) -> Callable[..., None]:
    """The argument and options that both commands describe a model with."""
    decorators = [
        click.argument("model", required=False, type=click.Path(path_type=Path)),
        click.option("--timesteps", type=int, help=f"Number of time steps ({DEFAULTS['timesteps']} without MODEL)."),
        click.option("--layer", help=f"The recurrent layer: {_either(RECURRENT)} [default: {DEFAULTS['layer']}]."),
        click.option("--units", type=int, help=f"Units of the recurrent layer [default: {DEFAULTS['units']}]."),
        click.option("--features", type=int, help=f"Features of x at each step [default: {DEFAULTS['features']}]."),
        click.option("--outputs", type=int, help=f"Units of the Dense layer [default: {DEFAULTS['outputs']}]."),
        click.option("--activation", help=f"Activation of the recurrent layer [default: {DEFAULTS['activation']}]."),
        click.option("--loss", help=f"Differentiate this loss instead of the sum of y: {_first(LOSSES)}"),
    ]
    for decorator in reversed(decorators):
        command = decorator(command)
    return command


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(version("symrnn"), prog_name="symrnn")
def commands() -> None:
    """Recurrent neural networks derived symbolically, and checked against Keras.

    MODEL is a .keras or .h5 file, or the .json file of an architecture. Without it the model is a recurrent
    layer and Dense, by default the notebook's: SimpleRNN, three time steps, one feature, one unit, one output.
    """


@commands.command("derive", short_help="Print the derivation of MODEL and its table of symbols.")
@_model_options
@click.option("--zoom", help=f"{_either(ZOOMS)} [default: unrolled, of many time steps step].")
@click.option("--gradient", is_flag=True, help="Backpropagation through time and the gradients too.")
@click.option("--format", "form", default="text", show_default=True, help=f"{_either(composing.FORMATS)}.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write to this file.")
def derive_command(
    model: Path | None, zoom: str | None, gradient: bool, form: str, output: Path | None, loss: str | None, **shape: Any
) -> None:
    """Print the derivation of MODEL and its table of symbols."""
    derivation = described(model, shape)
    if form not in composing.FORMATS:
        raise ValueError(f"unknown format {cut_repr(form)}; known: {', '.join(composing.FORMATS)}")
    zoom = zoom or ("unrolled" if derivation.is_short else "step")
    parts = composing.derived(derivation, zoom, gradient or loss is not None, loss, weights=derivation.weights)
    text = composing.FORMATS[form](parts)
    _give(text, output)


@commands.command("check", short_help="Compare the derivation of MODEL with Keras, numbers beside numbers.")
@_model_options
@click.option(
    "--inputs",
    multiple=True,
    type=click.Path(path_type=Path),
    help="x as a .npy file, once for each input; else random.",
)
@click.option(
    "--targets", multiple=True, type=click.Path(path_type=Path), help="y_true as a .npy file, once for each output."
)
@click.option("--detail", default="model", show_default=True, help=f"{_either(DETAILS)}: how many rows.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of what is random.")
@click.option("--json", "as_json", is_flag=True, help="Print the report alone, as JSON.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write to this file.")
def check_command(
    model: Path | None,
    inputs: tuple[Path, ...],
    targets: tuple[Path, ...],
    detail: str,
    seed: int,
    as_json: bool,
    output: Path | None,
    loss: str | None,
    **shape: Any,
) -> None:
    """Derive MODEL and compare it with Keras: prediction, states, loss and every gradient.

    Exits with 1 where they do not agree.
    """
    derivation = described(model, shape)
    x, y_true = _load_all(inputs, "--inputs"), _load_all(targets, "--targets")
    if y_true is not None and loss is None:
        raise ValueError("--targets: expected --loss with it, got none")
    notebook = model is None and derivation.network.graph == graph_of(NOTEBOOK)
    if x is None and notebook:
        x = np.array(NOTEBOOK_X)
    with _quiet():
        keras_model = (
            build(derivation.network.graph, seed, NOTEBOOK_WEIGHTS if notebook else None)
            if model is None
            else load(model)
        )
        report = check_model(keras_model, x, y_true, loss, derivation, seed, detail)
    if as_json:
        text = json.dumps(report.to_dict(), indent=2) + "\n"
    else:
        parts = _checked_sections(derivation, keras_model.get_weights(), x, y_true, loss)
        text = composing.FORMATS["text"]([*parts, Section("check", "Check against Keras", (Verbatim(str(report)),))])
    _give(text, output)
    sys.exit(0 if report.ok else 1)


@commands.command(
    "document",
    short_help=f"Write a document on MODEL: {' '.join(WRITERS)}.",
    help=f"""Write a document on MODEL: its equations, a worked example, the way back step by step, the check.

    The ending of the file is the format: {" ".join(WRITERS)}. Sections: {", ".join(SECTIONS)}.
    """,
)
@_model_options
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="Write to this file.")
@click.option("--sections", help=f"Only these, with commas between: {_first(SECTIONS)} [default: all].")
@click.option("--without", help="All sections but these, with commas between.")
@click.option("--inputs", multiple=True, type=click.Path(path_type=Path), help="x of one sample, as for check.")
@click.option("--targets", multiple=True, type=click.Path(path_type=Path), help="y_true, as for check.")
@click.option("--title", help="The title of the document.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of what is random.")
def document_command(
    model: Path | None,
    output: Path,
    sections: str | None,
    without: str | None,
    inputs: tuple[Path, ...],
    targets: tuple[Path, ...],
    title: str | None,
    seed: int,
    loss: str | None,
    **shape: Any,
) -> None:
    """Write a document on MODEL; what the help says is made of the tables of sections and formats."""
    writer_of(output)
    files.check_place(output)
    derivation = described(model, shape)
    chosen = _sections(sections, without)
    x, y_true = _load_all(inputs, "--inputs"), _load_all(targets, "--targets")
    if y_true is not None and loss is None:
        raise ValueError("--targets: expected --loss with it, got none")
    options = composing.DocumentOptions(x=x, y_true=y_true, loss=loss, title=title, seed=seed, sections=chosen)
    with _progress() as progress:
        made = composing.document(derivation, options, progress)
        save(made, output, progress)


def _sections(chosen: str | None, without: str | None) -> list[str] | None:
    """The names of the sections, all but some of them, or None for all."""
    if chosen is not None and without is not None:
        raise ValueError("--without: expected one of --sections and --without, got both")
    if chosen is not None:
        return [name.strip() for name in chosen.split(",")]
    if without is None:
        return None
    left_out = [name.strip() for name in without.split(",")]
    for name in left_out:
        if name not in SECTIONS:
            raise ValueError(f"--without: expected some of {', '.join(SECTIONS)}, got {cut_repr(name)}")
    return [name for name in SECTIONS if name not in left_out]


@contextlib.contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    """Tells what is being done, on the standard error stream, once the whole has taken a second."""
    began = time.monotonic()
    terminal = os.dup(2)
    doing: list[str] = []

    def begin() -> None:
        for what in doing[-1:]:
            _say(terminal, what)

    timer = threading.Timer(1, begin)
    timer.start()

    def progress(what: str) -> None:
        doing.append(what)
        if time.monotonic() - began > 1:
            _say(terminal, what)

    try:
        with _quiet():
            yield progress
    finally:
        timer.cancel()
        os.close(terminal)


def _say(stream: int, what: str) -> None:
    os.write(stream, f"symrnn: {what} ...\n".encode())


def _checked_sections(
    derivation: Derivation, weights: list[np.ndarray], x: Any, y_true: Any, loss: str | None
) -> list[Section]:
    """Model, forward equations, closed form where it is small, the way back: with numbers where each is one."""
    small = derivation.timesteps is not None and derivation.is_short
    zoom = "unrolled" if small else "step"
    numbers = _numbers(derivation, weights, x, y_true, loss) if small and derivation.is_scalar else {}
    model, *equations = composing.derived(derivation, zoom, True, loss, numbers, weights)
    closed = composing.derived(derivation, "closed")[1:] if small and derivation.is_scalar else []
    return [model, equations[0], *closed, *equations[1:]]


def _numbers(
    derivation: Derivation, weights: list[np.ndarray], x: Any, y_true: Any, loss: str | None
) -> dict[str, float]:
    """The value of every symbol of a scalar model, where x is one sample and a loss has its target."""
    if (
        not isinstance(x, np.ndarray)
        or isinstance(y_true, list)
        or x.size != derivation.timesteps
        or (loss is not None and y_true is None)
    ):
        return {}
    targets = [] if y_true is None or loss is None else [y_true.reshape(-1)]
    found = values(derivation.gradient(loss), x.reshape(-1), *targets, [np.asarray(w, float) for w in weights])
    return {name: float(value.reshape(())) for name, value in found.items()}


def _load_all(paths: tuple[Path, ...], option: str) -> Any:
    """The array of one file, the list of those of several, None of none."""
    arrays = [_load(path, option) for path in paths]
    return arrays[0] if len(arrays) == 1 else arrays or None


def _load(path: Path, option: str) -> np.ndarray:
    """An array from a .npy file, without running anything from it."""
    if not path.is_file():
        raise FileNotFoundError(f"{option}: no such file: {cut(str(path))}")
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)  # takes no more than the file has
    except (ValueError, EOFError, OSError, OverflowError, SyntaxError, TokenError, RecursionError):
        raise ValueError(f"{option}: expected a .npy file of numbers, got {cut(str(path))}") from None
    if not isinstance(array, np.ndarray):
        raise ValueError(f"{option}: expected a .npy file of one array, got {cut(str(path))}")
    return np.array(array)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """TensorFlow writes about the machine to the standard error stream while it starts; keep it silent."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    kept = os.dup(2)
    with open(os.devnull, "w") as nothing:
        os.dup2(nothing.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _give(text: str, output: Path | None) -> None:
    """Print the text, without control signs, or write it to a file; - is the standard output."""
    if output is not None and str(output) != "-":
        files.write(output, text)
        return
    try:
        click.echo(visible(text), nl=False)
    except BrokenPipeError:  # whoever reads has read enough
        _drop_output()


def main() -> None:
    """Run the command line; what is wrong with the input is one line and exit code 2.

    A closed pipe ends it quietly; after Ctrl-C the exit code is 130, and 143 where it is told to end.
    """
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    try:
        commands.main(prog_name="symrnn", standalone_mode=False)
    except (click.exceptions.Abort, KeyboardInterrupt):
        _refuse("interrupted", 130)
    except (click.ClickException, ValueError, NotImplementedError, OSError, ImportError) as error:
        _refuse(_one_line(error), 2)


def _refuse(message: str, code: int) -> NoReturn:
    with contextlib.suppress(OSError):
        click.echo(f"symrnn: {message}", err=True)
    try:
        sys.stdout.flush()
    except OSError:
        _drop_output()
    sys.exit(code)


def _drop_output() -> None:
    """What is still to be printed has no place to go to: Python would say so when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _one_line(error: BaseException) -> str:
    if isinstance(error, click.UsageError) and error.ctx is not None:
        return f"{one_line(error.format_message())} See '{error.ctx.command_path} --help'."
    if isinstance(error, click.ClickException):
        return one_line(error.format_message())
    if isinstance(error, OSError) and error.strerror:
        return one_line(f"{cut(str(error.filename or 'standard output'))}: {error.strerror}")
    return one_line(str(error))
