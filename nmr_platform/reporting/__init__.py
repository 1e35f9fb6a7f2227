"""The report: published numbers, what to say, and how to set it."""

from nmr_platform.reporting.comparison import ComparisonRow, compare_published
from nmr_platform.reporting.content import Content, Figure, ScoreRow, Section, score_rows
from nmr_platform.reporting.published import PUBLISHED, SOURCE, PublishedScore
from nmr_platform.reporting.render import render_html, render_markdown

__all__ = [
    "PUBLISHED",
    "SOURCE",
    "ComparisonRow",
    "Content",
    "Figure",
    "PublishedScore",
    "ScoreRow",
    "Section",
    "compare_published",
    "render_html",
    "render_markdown",
    "score_rows",
]
