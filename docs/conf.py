"""How Sphinx builds these pages: `sphinx-build -W -b html docs OUT`."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
sys.path.insert(0, str(Path(__file__).parent))  # for the extension `session`

from sphinx.application import Sphinx

import symrnn

project = "symrnn"
author = "The symrnn maintainers"
project_copyright = "The symrnn maintainers"
version = release = symrnn.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "symrnn.sphinxext.directive",
    "session",
]
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
exclude_patterns = ["build"]

default_role = "code"
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
napoleon_numpy_docstring = False

html_theme = "furo"
html_title = f"symrnn {version}"
html_math_renderer = "symrnn"
html_copy_source = False
html_show_sourcelink = False
copybutton_prompt_text = r">>> |\.\.\. "
copybutton_prompt_is_regexp = True

latex_documents = [("index", "symrnn.tex", "symrnn", author, "howto")]


def setup(app: Sphinx) -> None:
    """Keep napoleon, which stands between the two, from reading "The rows: of a batch" as type and description."""
    app.connect("autodoc-process-docstring", _replace(":", "\ue000"), priority=400)
    app.connect("autodoc-process-docstring", _replace("\ue000", ":"), priority=600)


def _replace(old: str, new: str) -> Callable[..., None]:
    def replace(app: Sphinx, what: str, name: str, thing: object, options: object, lines: list[str]) -> None:
        if what in ("property", "attribute") and lines:
            lines[0] = lines[0].replace(old, new)

    return replace
