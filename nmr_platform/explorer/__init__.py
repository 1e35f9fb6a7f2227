"""The page on which an echo can be played with: what `nmr explore` opens."""

from nmr_platform.explorer.opening import Opening
from nmr_platform.explorer.serving import serve_explorer

__all__ = ["Opening", "serve_explorer"]
