"""Documents: what is in them, and how each format is written to a file, whole or not at all."""

import os
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from symrnn import latexpage, markdown, plaintext
from symrnn.derivation import Derivation
from symrnn.document import Document, Equations, Figure, Origin, Section
from symrnn.modeltable import model_table

if TYPE_CHECKING:  # a derivation printed needs no NumPy
    import numpy as np

    from symrnn.report import Report
    from symrnn.subject import Subject

TITLE = "Backpropagation through time"
Progress = Callable[[str], None]
Files = Mapping[str, str | bytes]
"""The text of a document by what follows its name: "" is the document itself, "-1.svg" a picture beside it."""


# derivations as sections ------------------------------------------------------------------------


def derived(
    derivation: Derivation,
    zoom: str,
    gradient: bool = False,
    loss: str | None = None,
    numbers: Mapping[str, float] | None = None,
    weights: "Sequence[np.ndarray] | None" = None,
) -> list[Section]:
    """The model, the forward equations and, with a gradient, the way back; `numbers` are put beside."""
    numbers = numbers or {}
    parts = [Section("model", "Model", (model_table(derivation.network, weights),))]
    if not gradient:
        title = "Closed form" if zoom == "closed" else "Forward equations"
        return [*parts, Section("forward", title, (Equations(replace(derivation.display(zoom), numbers=numbers)),))]
    display = derivation.gradient(loss).display(zoom)
    if zoom == "closed":
        return [*parts, Section("gradients", "Gradients in closed form", (Equations(display),))]
    forward = Equations(replace(display, part="forward", numbers=numbers))
    adjoint = Equations(replace(display, part="adjoint", numbers=numbers))
    titles = (("forward", "Forward equations", forward), ("backward", "Backpropagation through time", adjoint))
    return [*parts, *(Section(name, title, (block,)) for name, title, block in titles)]


FORMATS: Mapping[str, Callable[[Sequence[Section]], str]] = {
    "text": plaintext.sections_text,
    "markdown": markdown.sections_markdown,
    "latex": lambda sections: latexpage.sections_latex(sections, "subsection*"),
}
"""How sections are printed."""


# documents --------------------------------------------------------------------------------------


def document(
    derivation: Derivation,
    sections: Iterable[str] | None = None,
    x: Any = None,
    y_true: Any = None,
    weights: Any = None,
    loss: Any = None,
    check: bool | None = None,
    seed: int = 0,
    title: str | None = None,
    progress: Progress | None = None,
) -> Document:
    """The document of a derivation; see `Derivation.document`."""
    from symrnn.opening import subtitle, summary
    from symrnn.sections import SECTIONS, section
    from symrnn.subject import subject

    names = _chosen(sections, list(SECTIONS))
    about = subject(derivation, x, y_true, weights, loss, seed)
    if "check" in names and _is_checked(check):
        about = replace(about, reports=_once(_reports, about, progress))
    elif "check" in names and sections is not None and check is not False:
        raise ImportError("check needs Keras and TensorFlow; pip install 'symrnn[keras]' installs them")
    found = tuple(part for name in names if (part := section(name, about)) is not None)
    arguments = {"x": x, "y_true": y_true, "weights": weights, "loss": loss, "check": check, "title": title}
    given = {name: value for name, value in arguments.items() if value is not None}
    given |= ({"seed": seed} if seed else {}) | ({} if sections is None else {"sections": names})
    path, timesteps = derivation.file or (None, None)
    values = {"x": about.x, "y_true": about.y_true, "weights": list(about.weights)}
    numbers = {name: value for name, value in values.items() if value is not None}
    origin = Origin(path or derivation.network.graph, given, timesteps, numbers)
    return Document(title or TITLE, subtitle(about), summary(about, found), found, origin)


def _once(function: Callable[..., Any], *arguments: Any) -> Callable[[], Any]:
    """The function of these arguments, computed when it is first asked for."""
    return cache(lambda: function(*arguments))


def _chosen(sections: Iterable[str] | None, known: Sequence[str]) -> list[str]:
    if sections is None:
        return list(known)
    names = [sections] if isinstance(sections, str) else list(sections)
    for name in names:
        if name not in known:
            raise ValueError(f"sections: expected some of {', '.join(known)}, got {name!r}")
    return list(dict.fromkeys(names))


def _is_checked(check: bool | None) -> bool:
    """Whether to run the check: as asked, or where Keras is installed."""
    return check if check is not None else find_spec("keras") is not None and find_spec("tensorflow") is not None


def _reports(about: "Subject", progress: Progress | None) -> "tuple[Report, ...] | str":
    """The check in float32 and in float64; why there is none where Keras cannot build the model."""
    import numpy as np

    from symrnn.checks import check

    x = [np.asarray(one)[None] for one in about.x] if _is_list(about) else np.asarray(about.x)[None]
    found = []
    for dtype in ("float32", "float64"):
        if progress:
            progress(f"checking against Keras in {dtype}")
        try:
            model = _live(about, dtype)
        except NotImplementedError as error:
            return str(error)
        targets = _batch(about) if about.gradient.loss else None
        loss = list(about.gradient.loss) if about.gradient.loss else None
        found.append(check(model, x, targets, loss, Derivation(about.derivation.network)))
    return tuple(found)


def _live(about: "Subject", dtype: str) -> Any:
    """The Keras model: that of the file with its own weights, else one made anew."""
    from symrnn.models import build, load

    file = about.derivation.file
    if file is not None and about.has_own_weights and dtype == about.derivation.dtype:
        return load(file[0])
    return build(about.derivation.network.graph, weights=about.weights, batch_size=1, dtype=dtype)


def _is_list(about: "Subject") -> bool:
    return len(about.derivation.network.sources) > 1


def _batch(about: "Subject") -> Any:
    import numpy as np

    several = len(about.derivation.network.heads) > 1
    return [np.asarray(one)[None] for one in about.y_true] if several else np.asarray(about.y_true)[None]


# formats ----------------------------------------------------------------------------------------


def _figures(made: Document) -> list[Figure]:
    return [block for section in made.sections for block in section.blocks if isinstance(block, Figure)]


def _tex(made: Document, stem: str, progress: Progress | None) -> Files:
    return {"": latexpage.render(made)}


def _pdf(made: Document, stem: str, progress: Progress | None) -> Files:
    from symrnn.pdf import pdf_of

    return {"": pdf_of(latexpage.render(made), progress).pdf}


def _md(made: Document, stem: str, progress: Progress | None) -> Files:
    pictures = {f"-{i}.svg": figure.picture.svg() for i, figure in enumerate(_figures(made), 1)}
    return {"": markdown.render(made, [quote(f"{stem}{name}") for name in pictures]), **pictures}


def _html(made: Document, stem: str, progress: Progress | None) -> Files:
    from symrnn import webpage

    return {"": webpage.render(made)}


def _ipynb(made: Document, stem: str, progress: Progress | None) -> Files:
    from symrnn import notebook

    return {"": notebook.of(made)}


def _rst(made: Document, stem: str, progress: Progress | None) -> Files:
    from symrnn import conversion

    return {"": conversion.rst(made)}


def _docx(made: Document, stem: str, progress: Progress | None) -> Files:
    from symrnn import conversion

    return {"": conversion.docx(made)}


WRITERS: Mapping[str, Callable[[Document, str, Progress | None], Files]] = {
    ".tex": _tex,
    ".pdf": _pdf,
    ".md": _md,
    ".html": _html,
    ".ipynb": _ipynb,
    ".rst": _rst,
    ".docx": _docx,
}
"""How a document is written, by the ending of the file."""


def writer(path: str | os.PathLike) -> Callable[[Document, str, Progress | None], Files]:
    """The writer for a file.

    Raises:
        ValueError: an ending that no format has.
    """
    ending = Path(path).suffix.lower()
    if ending not in WRITERS:
        raise ValueError(f"{path}: expected a name that ends in one of {' '.join(WRITERS)}, got {ending or 'none'}")
    return WRITERS[ending]


def save(made: Document, path: str | os.PathLike, progress: Progress | None = None) -> None:
    """Write a document in the format of the file's ending; the pictures of a .md stand beside it."""
    target = Path(path)
    check_place(target)
    files = writer(target)(made, target.stem, progress)
    for name, text in sorted(files.items(), reverse=True):  # the document itself at the end
        write(target if not name else target.with_name(target.stem + name), text)


def check_place(target: Path) -> None:
    """Check that a file can stand there.

    Raises:
        FileNotFoundError: there is a folder of this name, or none to put it in.
    """
    if target.is_dir() or not target.parent.is_dir():
        raise FileNotFoundError(f"{target}: expected the name of a file in a folder that exists")


def write(path: str | os.PathLike, text: str | bytes) -> None:
    """Write a file whole or not at all.

    Raises:
        OSError: the place cannot be written to; a file that was there is as it was.
    """
    target = Path(path)
    check_place(target)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(text.encode() if isinstance(text, str) else text)
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(name, 0o666 & ~mask)
        os.replace(name, target)
    except BaseException:
        os.unlink(name)
        raise
