"""The documentation site: `make docs` builds it from these pages, the docstrings and what `reference.py` writes."""

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import reference
from sphinx.application import Sphinx

import nmr_platform
from nmr_platform.schema import Schema

project = "nmr_platform"
author = "the authors of nmr_platform"
release = version = nmr_platform.__version__
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
]
exclude_patterns = ["pulse-search/**", "examples/**"]
# Pages are read on a forge, too: they link to files beside them, and to headings as a forge names these.
myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence", "fieldlist"]
# Of words in single backticks in docstrings, those that are names of the API become links.
default_role = "py:obj"
autodoc_typehints = "signature"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
napoleon_use_ivar = True
napoleon_use_rtype = False
python_maximum_signature_line_length = 100
add_module_names = False
html_theme = "furo"
html_title = "nmr_platform"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_copyright = False
html_show_sphinx = False
html_theme_options = {"navigation_with_keys": True}
copybutton_exclude = ".linenos, .gp, .go"
pygments_dark_style = "github-dark"

_SPECIAL = re.compile(r"(?<!\\)([|]|\*+(?=\w)|(?<=\w)_(?=\W|$)|(?<=\S)\*)")
_CODE = re.compile(r"(``.*?``|`[^`]+`)")


def _as_plain_text(_app: object, _what: str, _name: str, _obj: object, _options: object, lines: list[str]) -> None:
    """Letters that mean something to reStructuredText mean themselves in our docstrings: |M|, 2 * tau, alpha_."""
    for number, line in enumerate(lines):
        if not line.lstrip().startswith((">>>", "...")):
            parts = _CODE.split(line)
            parts[::2] = [_SPECIAL.sub(r"\\\1", part) for part in parts[::2]]
            lines[number] = "".join(parts)


def _is_of_a_library(_app: object, _what: str, name: str, obj: object, *_: object) -> bool | None:
    """What scikit-learn, pydantic and Python give every class; ours are described in the docstring of the class."""
    is_given = re.fullmatch(r"set_\w+_request|get_metadata_routing|model_config", name)
    is_field = (getattr(obj, "__doc__", None) or "").startswith("Alias for field number")
    return True if is_given or is_field else None


def _without_keys(_app: object, _what: str, _name: str, obj: object, *_: object) -> tuple[str, None] | None:
    """The keys of a model are in its docstring, with their meaning and unit; a signature of all bounds hides them."""
    return ("", None) if isinstance(obj, type) and issubclass(obj, Schema) else None


def setup(app: Sphinx) -> None:
    """Write the generated pages, and read docstrings as text."""
    app.connect("builder-inited", lambda app: reference.write(Path(app.srcdir) / "generated"))
    app.connect("autodoc-process-signature", _without_keys)
    app.connect("autodoc-skip-member", _is_of_a_library)
    app.connect("autodoc-process-docstring", _as_plain_text, priority=900)
