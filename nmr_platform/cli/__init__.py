"""The `nmr` command."""

from nmr_platform.cli.app import app, main

__all__ = ["app", "main"]
