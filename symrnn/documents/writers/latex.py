"""Documents as LaTeX: a standalone article, or sections for one's own."""

from collections.abc import Sequence
from functools import singledispatch

from symrnn.documents.blocks import (
    Article,
    Block,
    Cell,
    Equations,
    Figure,
    Formulas,
    NumberedStep,
    Paragraph,
    Section,
    Table,
    Verbatim,
)
from symrnn.documents.inline import Code, Emphasis, Math, Prose, Span, Strong, signed
from symrnn.documents.writers.files import Files, Progress
from symrnn.expressions.names import Name
from symrnn.typesetting.equations import lines_of
from symrnn.typesetting.escapes import escaped
from symrnn.typesetting.layout import DisplayRow, align, rows
from symrnn.typesetting.styles import LATEX
from symrnn.typesetting.widths import points

_WIDTH, _LONG = 455, 36
_PREAMBLE = r"""\documentclass[a4paper,10pt]{article}
\usepackage[T1]{fontenc}
\usepackage{lmodern}
\usepackage{amsmath}
\usepackage{booktabs}
\usepackage{array}
\usepackage{longtable}
\usepackage{tikz}
\usetikzlibrary{arrows.meta}
\usepackage[hidelinks]{hyperref}
\IfFileExists{accsupp.sty}{\usepackage{accsupp}}{\newcommand\BeginAccSupp[1]{}\newcommand\EndAccSupp[1]{}}
\textwidth=160mm \textheight=240mm \oddsidemargin=-0.4mm \topmargin=-15mm
\parindent=0pt \parskip=6pt plus 2pt
\allowdisplaybreaks[1]
\emergencystretch=3em
\newcommand\symrnnstep[3]{\par\addpenalty{-200}\addvspace{8pt}\textbf{Step #1.} #2\hfill\mbox{#3}\nopagebreak}
\newcommand\symrnnwhy[1]{{\small\emph{Why:} #1\par}}
"""


def files(article: Article, stem: str, progress: Progress | None = None) -> Files:
    """LaTeX: a standalone article."""
    return {"": article_latex(article)}


def article_latex(article: Article) -> str:
    """The document as a standalone article."""
    title = rf"""\hypersetup{{pdftitle={{{_plain(article.title)}}}}}
\begin{{document}}
\begin{{center}}
{{\Large\bfseries {escaped(article.title)}\par}}
{prose_latex(article.subtitle)}
\end{{center}}
"""
    return (
        f"{_PREAMBLE}{title}\n{prose_latex(article.summary)}\n\n{sections_latex(article.sections)}\\end{{document}}\n"
    )


def sections_latex(sections: Sequence[Section], command: str = "section") -> str:
    """Each section's title by a sectioning command, and its blocks."""
    return "\n\n".join(f"\\{command}{{{escaped(s.title)}}}\n\n{blocks_latex(s.blocks)}" for s in sections) + "\n"


def blocks_latex(blocks: Sequence[Block]) -> str:
    """The blocks, each a paragraph of its own but for a display after text, which belongs to it."""
    text = ""
    for before, block in zip([None, *blocks], blocks, strict=False):
        joined = isinstance(before, Paragraph) and isinstance(block, Equations | Formulas)
        text += ("" if before is None else "\n" if joined else "\n\n") + block_latex(block)
    return text


def _plain(text: str) -> str:
    return "".join(sign for sign in text if sign.isalnum() or sign in " .,:;()-")


# blocks -----------------------------------------------------------------------------------------


@singledispatch
def block_latex(block: Block) -> str:
    """A block in LaTeX."""
    raise NotImplementedError(f"LaTeX: expected a block of a document, got {type(block).__name__}")


@block_latex.register
def _(block: Paragraph) -> str:
    return rf"\textbf{{{escaped(block.title)}}} {prose_latex(block.text)}" if block.title else prose_latex(block.text)


@block_latex.register
def _(block: Equations) -> str:
    return align(rows(lines_of(block.display, LATEX)))


@block_latex.register
def _(block: Formulas) -> str:
    return rows_latex(block.rows)


def rows_latex(found: Sequence[DisplayRow]) -> str:
    """One alignat* block: its columns side by side, with a quad between the pairs."""
    if not found:
        return ""
    pairs = max((len(row.cells) + 1) // 2 for row in found)
    return (
        align(found, _row)
        .replace(r"\begin{align*}", rf"\begin{{alignat*}}{{{pairs}}}")
        .replace(r"\end{align*}", r"\end{alignat*}")
    )


def _row(row: DisplayRow) -> str:
    """The cells of a row, its label behind them."""
    text = row.cells[0]
    for place, cell in enumerate(row.cells[1:], 1):
        text += (r" &\quad " if place > 1 and not place % 2 else " &") + cell
    return text + (rf" \tag{{{row.tag}}}" if row.tag else "")


@block_latex.register
def _(block: NumberedStep) -> str:
    why = f"\n\\symrnnwhy{{{prose_latex(block.why)}}}" if block.why else ""
    head = rf"\symrnnstep{{{block.number}}}{{{prose_latex(block.title)}}}{{{prose_latex(block.rule)}}}"
    return f"{head}\n{rows_latex(block.formulas.rows)}{why}"


@block_latex.register
def _(block: Figure) -> str:
    caption = f"\\\\[4pt]\n{{\\small {prose_latex(block.caption)}\\par}}" if block.caption else ""
    whole = (
        f"\\begin{{minipage}}{{\\linewidth}}\n\\centering\n{block.picture.tikz(alt=True)}{caption}\n\\end{{minipage}}"
    )
    return f"\\begin{{center}}\n{whole}\n\\end{{center}}"


@block_latex.register
def _(block: Verbatim) -> str:
    lines = r"\\".join(_fixed(line) for line in block.text.split("\n"))
    return f"{{\\small\\ttfamily {lines}\\par}}"


def _fixed(line: str) -> str:
    """A line of fixed width: every space stays, and no line is empty."""
    return rf"\mbox{{}}{escaped(line).replace(' ', '~')}"


# tables -----------------------------------------------------------------------------------------


@block_latex.register
def _(block: Table) -> str:
    table = [list(map(_cell, block.head)), *(list(map(_cell, row)) for row in block.rows)]
    lines = [" & ".join(row) + r" \\" for row in table]
    body, totals = lines[1:], block.totals
    if totals:
        body.insert(len(body) - totals, r"\midrule")
    widths = [max(map(_cell_points, column)) for column in zip(block.head, *block.rows, strict=True)]
    size, columns = _columns(widths, block.right)
    inner = "\n".join([r"\toprule", lines[0], r"\midrule", *body, r"\bottomrule"])
    note = f"\n\n{prose_latex(block.note)}" if block.note else ""
    if len(block.rows) > _LONG:
        return f"{{{size}\n\\begin{{longtable}}{{{columns}}}\n{inner}\n\\end{{longtable}}}}{note}"
    return (
        f"\\begin{{center}}\n{size}\n\\begin{{tabular}}{{{columns}}}\n{inner}\n\\end{{tabular}}\n\\end{{center}}{note}"
    )


def _columns(widths: Sequence[float], right: Sequence[int]) -> tuple[str, str]:
    """The size of the type and the columns; the widest wraps where all together are too wide."""
    gap = 12
    free = _WIDTH - gap * len(widths) - 8
    scale = next((s for s in (1.0, 0.9, 0.8) if sum(widths) * s <= free), 0.8)
    spec = ["r" if i in right else "l" for i in range(len(widths))]
    scaled = [width * scale for width in widths]
    while sum(scaled) > free:
        widest = max(range(len(scaled)), key=scaled.__getitem__)
        others = sum(scaled) - scaled[widest]
        second = max([w for i, w in enumerate(scaled) if i != widest], default=0)
        scaled[widest] = max(60.0, free - others, min(second, scaled[widest]) * 0.9)
        spec[widest] = rf">{{\raggedright\arraybackslash}}p{{{scaled[widest]:.0f}pt}}"
        if scaled[widest] == 60.0:
            break
    size = {1.0: r"\normalsize", 0.9: r"\small", 0.8: r"\footnotesize"}[scale]
    return size, "".join(spec)


def _cell_points(cell: Cell) -> float:
    """About how wide a cell is set."""
    if isinstance(cell, Name):
        return points(cell.latex)
    if isinstance(cell, str):
        return 4.8 * len(cell)
    return sum(
        points(s.latex) if isinstance(s, Math) else (4.8 * len(s) if isinstance(s, str) else 5.4 * len(s.text))
        for s in cell
    )


def _cell(cell: Cell) -> str:
    """A symbol as mathematics, text with the minus of its numbers as one."""
    if isinstance(cell, Name):
        return f"${cell.latex}$"
    if isinstance(cell, str):
        return signed(escaped(cell), "$-$")
    return prose_latex(cell)


# text -------------------------------------------------------------------------------------------


def prose_latex(text: Prose) -> str:
    """Running text."""
    return "".join(map(span_latex, text))


@singledispatch
def span_latex(span: Span) -> str:
    """A piece of running text."""
    raise NotImplementedError(f"LaTeX: expected a piece of text, got {type(span).__name__}")


span_latex.register(str, lambda span: escaped(span))
span_latex.register(Math, lambda span: f"${span.latex}$")
span_latex.register(Strong, lambda span: rf"\textbf{{{escaped(span.text)}}}")
span_latex.register(Emphasis, lambda span: rf"\emph{{{escaped(span.text)}}}")


@span_latex.register
def _(span: Code) -> str:
    """A long name may break after its underscores."""
    text = escaped(span.text).replace(r"\_", r"\_\allowbreak ")
    return rf"\texttt{{{text}}}"
