r"""The plot of how large each time step's contribution to the gradients is.

dU is a sum over t, and so is dV; the plot shows the size of each term, which says how far back a
network learns: a term that is a thousand times smaller hardly counts.
"""

import contextlib
import io
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar
from xml.sax.saxutils import escape

from symrnn.common.display import Displayed
from symrnn.common.errors import import_extra
from symrnn.documents.inline import Prose
from symrnn.documents.sections import plot_tikz

_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")
_STYLES = ("-", "--", "-.", ":")
_MARKERS = ("o", "s", "^", "D")
_MARKED, _LOG = 30, 100
"""Up to so many steps a sign stands at each; from so large a range on the axis is logarithmic."""
_DECADES = 20
"""What is so many powers of ten below the largest is next to nothing."""
_NOTHING = dict.fromkeys(("Date", "Creator", "Format", "Type"))
_SETTINGS: Mapping[str, Any] = {
    **{"font.family": "DejaVu Sans", "mathtext.fontset": "cm", "font.size": 10.0},
    **{"svg.hashsalt": "symrnn", "svg.fonttype": "path", "pdf.fonttype": 3},
    **{"axes.spines.top": False, "axes.spines.right": False, "axes.unicode_minus": True},
}


@dataclass(frozen=True)
class Plot(Displayed):
    """The sizes of the terms of some gradients: for each weight, by its LaTeX, one number per time step.

    It can stand in a `Figure`, as a `Picture` can.
    """

    sizes: tuple[tuple[str, tuple[float, ...]], ...]

    title: ClassVar[str] = "Contributions of the time steps to the gradient"
    caption: ClassVar[Prose] = (
        "How large the term of each time step is in the sums that are the gradients, as a Euclidean norm.",
    )

    @property
    def steps(self) -> int:
        """The number of time steps."""
        return len(self.sizes[0][1])

    @property
    def is_log(self) -> bool:
        """Whether the sizes differ so much that their axis is logarithmic."""
        positive = [size for _, row in self.sizes for size in row if size > 0]
        return bool(positive) and max(positive) > _LOG * min(positive)

    @property
    def alt(self) -> str:
        """What the plot shows, in words."""
        count = "1 time step" if self.steps == 1 else f"{self.steps} time steps"
        head = f"Size of the contribution of each of {count} to the gradient"
        return " ".join([f"{head}{', logarithmic axis' if self.is_log else ''}.", *(_told(*row) for row in self.sizes)])

    def svg(self) -> str:
        """The plot as one SVG element, with its description."""
        return _embedded(self._saved("svg", metadata=_NOTHING).decode("utf-8"), self.title, self.alt)

    def tikz(self, alt: bool = False) -> str:
        r"""The plot as a tikzpicture, never wider than a line.

        It needs the package tikz, and accsupp where the PDF is to have the description (`alt`).
        """
        with _settings():
            return plot_tikz.axes_tikz(_figure(self).axes[0], self.alt if alt else None)

    def png(self, dpi: int = 200) -> bytes:
        """The plot as a PNG."""
        return self._saved("png", dpi=dpi, metadata={"Software": None})

    def pdf(self) -> bytes:
        """The plot as a PDF of one page."""
        return self._saved("pdf", metadata={"CreationDate": None, "Creator": None, "Producer": None})

    def _saved(self, form: str, **options: Any) -> bytes:
        """The same bytes each time: no date, no version, no counted names."""
        stream = io.BytesIO()
        with _settings():
            _figure(self).savefig(stream, format=form, bbox_inches="tight", **options)
        return stream.getvalue()


def plot_of(sizes: Mapping[str, Sequence[float]]) -> Plot:
    r"""The plot of sizes by time step: `{"U": [0.1, 0.2], r"b_h": [0.3, 0.4]}`, names in LaTeX.

    Raises:
        ValueError: nothing to plot, sequences of different lengths, or a size that is no number from 0 on.
    """
    rows = tuple((name, tuple(map(float, row))) for name, row in sizes.items())
    if not rows or not rows[0][1]:
        raise ValueError("plot: expected at least one weight and one time step, got none")
    for name, row in rows:
        if len(row) != len(rows[0][1]):
            raise ValueError(f"plot: {name}: expected {len(rows[0][1])} time steps as in {rows[0][0]}, got {len(row)}")
        for t, size in enumerate(row):
            if not (math.isfinite(size) and size >= 0):
                raise ValueError(f"plot: {name}: t = {t}: expected a number from 0 on, got {size}")
    return Plot(rows)


@contextlib.contextmanager
def _settings() -> Iterator[None]:
    """Our settings and no others, for a while."""
    matplotlib = import_extra("matplotlib", "a plot")
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_SETTINGS)
        yield


# words ------------------------------------------------------------------------------------------


def _told(name: str, row: tuple[float, ...]) -> str:
    """The largest and the smallest term of one weight."""
    if not any(row):
        return f"{name}: 0 at every step."
    largest, smallest = max(row), min(row)
    if largest == smallest:
        return f"{name}: {largest:.3g} at every step."
    places = row.index(largest), row.index(smallest)
    return f"{name}: largest {largest:.3g} at t = {places[0]}, smallest {smallest:.3g} at t = {places[1]}."


# the figure -------------------------------------------------------------------------------------


def _matplotlib(module: str) -> Any:
    return import_extra(f"matplotlib.{module}", "a plot")


def _figure(plot: Plot) -> Any:
    """The figure: a line for each weight, named at its right end."""
    figure = _matplotlib("figure").Figure(figsize=(6.0, max(2.8, 0.6 + 0.24 * len(plot.sizes))))
    axes = figure.add_subplot()
    for place, (_, row) in enumerate(plot.sizes):
        axes.plot(range(plot.steps), row, **_look(place, plot.steps), clip_on=False)
    _scale(axes, plot)
    axes.set_xlabel("time step $t$")
    axes.set_ylabel("size of step $t$'s term")
    axes.grid(axis="y", color="0.9", linewidth=0.6)
    axes.set_axisbelow(True)
    _name_lines(axes, plot)
    return figure


def _look(place: int, steps: int) -> dict[str, Any]:
    """Colour, dashes and sign of a line: all three differ within four, and two of them within sixteen."""
    kind = (place + place // 4) % 4
    marks = {"marker": _MARKERS[kind], "markersize": 4.5} if steps <= _MARKED else {}
    return {"color": _COLOURS[place % 4], "linestyle": _STYLES[kind], "linewidth": 1.6, **marks}


def _scale(axes: Any, plot: Plot) -> None:
    """Whole numbers of steps; a logarithmic axis has a straight piece down to 0 where that, or nearly, is a size."""
    ticker = _matplotlib("ticker")
    steps = ticker.MaxNLocator(nbins="auto", integer=True) if plot.steps > 1 else ticker.FixedLocator([0])
    axes.xaxis.set_major_locator(steps)
    axes.set_xlim(*((0, plot.steps - 1) if plot.steps > 1 else (-0.5, 0.5)))
    sizes = [size for _, row in plot.sizes for size in row]
    if not plot.is_log:
        axes.set_ylim(0, 1.05 * max(sizes) or 1)
        return
    first, last = (math.floor(math.log10(f(filter(None, sizes)))) for f in (min, max))
    if min(sizes) > 0 and last - first <= _DECADES:
        axes.set_yscale("log")
    else:
        first = max(first, last - _DECADES)
        axes.set_yscale("symlog", linthresh=max(10.0**first, 1e-307), linscale=max(0.5, (last - first) / 15))
        axes.set_ylim(bottom=0)
        axes.yaxis.get_major_locator().set_params(numticks=7)


def _name_lines(axes: Any, plot: Plot) -> None:
    """The names to the right of the lines' ends, moved apart where they would touch, each with a piece of its line."""
    place = axes.transScale + axes.transLimits
    ends = [float(place.transform((0, row[-1]))[1]) for _, row in plot.sizes]
    height = axes.figure.get_size_inches()[1] * axes.get_position().height * 72
    for number, at in enumerate(_spread(ends, 15 / height)):
        look = {**_look(number, plot.steps), "marker": ""}
        axes.plot((1.01, 1.04, 1.10), (ends[number], at, at), **look, transform=axes.transAxes, clip_on=False)
        name = _written(plot.sizes[number][0])
        axes.text(1.115, at, name, transform=axes.transAxes, va="center", fontsize=11)


def _spread(places: Sequence[float], gap: float) -> list[float]:
    """The places moved apart to at least `gap`, in their order, around where they were and not below 0."""
    order = sorted(range(len(places)), key=places.__getitem__)
    found = [0.0] * len(places)
    low = -math.inf
    for i in order:
        low = found[i] = max(places[i], low + gap)
    high = max(1.0, gap * (len(places) - 1))
    for i in reversed(order):
        found[i] = min(found[i], high)
        high = found[i] - gap
    return found


def _written(latex: str) -> str:
    """A name for matplotlib: as mathematics where it can set it, else as it is."""
    try:
        _matplotlib("mathtext").MathTextParser("path").parse(f"${latex}$")
    except ValueError:
        return latex.replace("$", r"\$")
    return f"${latex}$"


# the file ---------------------------------------------------------------------------------------

_RULES = re.compile(r"<style[^>]*>.*?</style>", re.DOTALL)
_NAMES = re.compile(r"(?P<before>\bid=\"|href=\"#|url\(#)")
_NAMED, _NEEDED = re.compile(r" id=\"(?P<name>[^\"]*)\""), re.compile(r"(?:href=\"#|url\(#)([^\")]+)")
_EMPTY = re.compile(r"\s*<defs>\s*</defs>")


def _embedded(svg: str, title: str, alt: str) -> str:
    """The SVG for any page: no rules that would hold for all of it, no names but of what is the same by that name."""
    svg = _EMPTY.sub("", _RULES.sub("", svg[svg.index("<svg") :]))
    needed = set(_NEEDED.findall(svg))
    svg = _NAMED.sub(lambda found: found[0] if found["name"] in needed else "", svg)
    svg = _NAMES.sub(lambda found: f"{found['before']}plot-", svg)
    head, body = svg.split(">", 1)
    style = 'role="img" style="max-width: 100%; height: auto; stroke-linejoin: round; stroke-linecap: butt"'
    return f"{head} {style}>\n <title>{escape(title)}</title>\n <desc>{escape(alt)}</desc>{body}"
