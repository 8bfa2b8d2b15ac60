"""The Sphinx extension: the directive `symrnn`, and formulas in HTML as MathML, without scripts.

In reStructuredText

    .. symrnn:: model.keras
       :show: forward, picture

and in MyST Markdown

    ```{symrnn}
    :layer: LSTM
    :units: 4
    :show: step
    :label: lstm
    ```

Without the name of a file the options describe the model, as on the command line.
"""

import re
from collections.abc import Callable, Sequence
from html import escape
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from docutils import nodes
from sphinx.errors import ExtensionError
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective
from sphinx.util.math import get_node_equation_number

from symrnn.common.errors import cut_repr
from symrnn.model_options import described
from symrnn.sphinxext.displays import rows_of
from symrnn.sphinxext.nodes import drawing, numbered, tags_of, with_targets
from symrnn.sphinxext.options import read_options, shown
from symrnn.typesetting.mathml import display, inline_math

if TYPE_CHECKING:
    from docutils.writers._html_base import HTMLTranslator
    from sphinx.application import Sphinx
    from sphinx.config import Config
    from sphinx.domains.math import MathDomain
    from sphinx.util.typing import ExtensionMetadata
    from sphinx.writers.latex import LaTeXTranslator

STATIC = Path(__file__).parent / "static"
_logger = logging.getLogger(__name__)

# the directive ----------------------------------------------------------------------------------


class _Unread(dict[str, Callable[[str | None], str]]):
    """Takes every option as it is: a wrong one shall end the build, which docutils would not do."""

    def __bool__(self) -> bool:
        return True

    def __getitem__(self, name: str) -> Callable[[str | None], str]:
        return lambda text: text or ""


class Directive(SphinxDirective):
    """A derivation, or parts of one, on a page."""

    has_content = True  # to refuse it here: docutils would go on
    optional_arguments = 1
    final_argument_whitespace = True
    option_spec: ClassVar[Any] = _Unread()

    def run(self) -> list[nodes.Node]:
        """The nodes.

        Raises:
            ExtensionError: something about the options or the model; it names the file and the line.
        """
        try:
            return self._nodes()
        except (ValueError, NotImplementedError, OSError, ImportError) as error:
            text = " ".join(str(error).split())
            raise ExtensionError(f"{self.get_location()}: symrnn: {text}") from error

    def _nodes(self) -> list[nodes.Node]:
        if self.content:
            raise ValueError(f"expected options alone, got the text {cut_repr(self.content[0])}")
        options = read_options(self.options)
        found = shown(described(self._model(), options, ":{}"), options)
        root = nodes.container("", *found)
        for node in root.findall():
            self.set_source_info(node)
        if "caption" in options:
            self._describe(root, options["caption"])
        if "label" in options:
            self._number(root, options["label"])
        return list(root.children)

    def _model(self) -> Path | None:
        """The file that the argument names, beside the page; the page is made again when it changes."""
        if not self.arguments:
            return None
        relative, absolute = self.env.relfn2path(self.arguments[0])
        self.env.note_dependency(relative)
        if not Path(absolute).is_file():
            raise FileNotFoundError(f"no such file: {relative}")
        return Path(absolute)

    def _describe(self, root: nodes.container, text: str) -> None:
        """Put the caption in the place of those of the pictures."""
        captions = list(root.findall(nodes.caption))
        if not captions:
            raise ValueError(":caption: expected a picture to describe, got none")
        for caption in captions:
            caption[:] = self.parse_inline(text)[0]

    def _number(self, root: nodes.container, label: str) -> None:
        """Give labels: LABEL-TAG to rows with tags; without any, LABEL to the first display, LABEL-2 to the next."""
        blocks = list(root.findall(nodes.math_block))
        if not blocks:
            raise ValueError(":label: expected equations to number, got none")
        tagged = [(block, tags) for block in blocks if (tags := tags_of(block))]
        for block, tags in tagged:
            labels = [f"{label}-{tag}" for tag in tags]
            self._replace(block, self._tagged(block, tags, labels), labels)
        for i, block in enumerate([] if tagged else blocks, start=1):
            name = label if i == 1 else f"{label}-{i}"
            self._replace(block, self._numbered(block, name), [name])

    def _replace(self, block: nodes.math_block, node: nodes.math_block, labels: Sequence[str]) -> None:
        """Put a display with its target in the place of one without."""
        self.set_source_info(node)
        target = nodes.target("", "", ids=[nodes.make_id(f"equation-{label}") for label in labels])
        self.state.document.note_explicit_target(target)
        block.parent.replace(block, [target, node])

    def _tagged(self, block: nodes.math_block, tags: Sequence[str], labels: Sequence[str]) -> nodes.math_block:
        """A display whose rows can be referred to by their tags."""
        for tag, label in zip(tags, labels, strict=True):
            self._check_new(label)
            self._domain.data["objects"][label] = (self.env.docname, tag)
        return with_targets(block, self.env.docname, dict(zip(tags, labels, strict=True)))

    def _numbered(self, block: nodes.math_block, label: str) -> nodes.math_block:
        """A display that can be referred to by the next number of the page."""
        self._check_new(label)
        self._domain.note_equation(self.env.docname, label)
        node = numbered(block)
        node["docname"], node["label"] = self.env.docname, label
        node["number"] = self._domain.get_equation_number_for(label)
        return node

    def _check_new(self, label: str) -> None:
        if label in self._domain.equations:
            page = self._domain.equations[label][0]
            raise ValueError(f":label: expected a name of its own, got {cut_repr(label)}, which is in {page} already")

    @property
    def _domain(self) -> "MathDomain":
        return self.env.domains.math_domain


# HTML -------------------------------------------------------------------------------------------


def _visit_inline(translator: "HTMLTranslator", node: nodes.math) -> None:
    """A formula within a line."""
    translator.body.append(translator.starttag(node, "span", "", CLASS="math notranslate nohighlight symrnn"))
    translator.body.append(_mathml(inline_math, node) + "</span>")
    raise nodes.SkipNode


def _visit_display(translator: Any, node: nodes.math_block) -> None:
    """A display with its number, as Sphinx's own renderers write it."""
    kind = "symrnn numbered" if node.get("number") else "symrnn"
    translator.body.append(translator.starttag(node, "div", CLASS=f"math notranslate nohighlight {kind}"))
    if node.get("number"):
        translator.body.append(f'<span class="eqno">({get_node_equation_number(translator, node)})')
        translator.add_permalink_ref(node, "Link to this equation")
        translator.body.append("</span>")
    translator.body.append(_mathml(_table, node) + "</div>\n")
    raise nodes.SkipNode


def _table(latex: str) -> str:
    """A display as MathML; what may be referred to on a page is its labels, not its tags."""
    return re.sub(' id="eq-[^"]*"', "", display(rows_of(latex)))


def _mathml(convert: Callable[[str], str], node: nodes.Element) -> str:
    try:
        return convert(node.astext())
    except (ValueError, NotImplementedError) as error:
        _logger.warning("symrnn: no MathML for this formula: %s", error, location=node, type="symrnn")
        return f"<code>{escape(node.astext())}</code>"


def _visit_svg(translator: "HTMLTranslator", node: drawing) -> None:
    translator.body.append(node["svg"])
    raise nodes.SkipNode


# LaTeX ------------------------------------------------------------------------------------------


def _visit_tikz(translator: "LaTeXTranslator", node: drawing) -> None:
    translator.body.append(f"\n{node['tikz']}\n")
    raise nodes.SkipNode


def _leave(translator: Any, node: nodes.Node) -> None:
    """Nothing is left to write."""


_PREAMBLE = r"""
\usetikzlibrary{arrows.meta}
\IfFileExists{accsupp.sty}{\usepackage{accsupp}}{\newcommand\BeginAccSupp[1]{}\newcommand\EndAccSupp[1]{}}
\allowdisplaybreaks
"""
"""What pictures with their descriptions, and displays longer than a page, need beside the package tikz."""


def _prepare(app: "Sphinx", config: "Config") -> None:
    """The preamble, and the folder of the style sheet."""
    preamble = config.latex_elements.get("preamble", "") + _PREAMBLE
    config.latex_elements = {**config.latex_elements, "preamble": preamble}
    config.html_static_path = [*config.html_static_path, str(STATIC)]


def setup(app: "Sphinx") -> "ExtensionMetadata":
    """Add the directive, the nodes of pictures, and the renderer `symrnn` of formulas in HTML."""
    app.add_directive("symrnn", Directive)
    app.add_node(drawing, html=(_visit_svg, _leave), latex=(_visit_tikz, _leave))
    app.add_html_math_renderer("symrnn", (_visit_inline, None), (_visit_display, None))
    app.add_latex_package("tikz")
    app.add_css_file("symrnn.css")
    app.connect("config-inited", _prepare)
    return {"version": version("symrnn"), "parallel_read_safe": True, "parallel_write_safe": True}
