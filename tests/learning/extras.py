"""Families whose library the default set-up leaves out: their tests run where it is, and are skipped with a reason."""

import pytest

from nmr_platform.learning.models.families import FAMILIES

__all__ = ["EVERY_FAMILY", "needs_library_of"]


def needs_library_of(kind):
    """A mark that skips a test where the library of a family is not installed."""
    return pytest.mark.skipif(
        not kind.is_installed(), reason=f"needs nmr-platform[{kind.model_fields['kind'].default}]"
    )


EVERY_FAMILY = [pytest.param(kind, marks=needs_library_of(kind)) for kind in FAMILIES]
