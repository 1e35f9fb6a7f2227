"""Commands that are killed at random moments and continue leave what an uninterrupted run leaves."""

from benchmarks.kills.command import main

__all__ = ["main"]
