"""How many wrong single changes to the code the tests of its room notice."""

from benchmarks.mutants.command import main

__all__ = ["main"]
