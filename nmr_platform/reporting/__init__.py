"""The report: published numbers, what to say and show, and how to set it."""

from nmr_platform.reporting.answers import Answer, answer_of, verdict_on_published
from nmr_platform.reporting.ceilings import CeilingRow, Ceilings, ceiling_row
from nmr_platform.reporting.designed import Designed, DesignedRow, designed_row
from nmr_platform.reporting.page import Content, Figure, Section, Table, render_html, render_markdown, table
from nmr_platform.reporting.published import (
    PUBLISHED,
    ComparisonRow,
    PublishedScore,
    best_published,
    compare_published,
    published_score,
)
from nmr_platform.reporting.sections import (
    CHAMPION,
    ceilings_section,
    data_section,
    designed_section,
    disorder_section,
    learning_section,
    published_section,
    pulses_section,
    score_rows,
)
from nmr_platform.reporting.wording import (
    POINTS,
    PULSE_CAPTIONS,
    TASK_CAPTIONS,
    describe_pulses,
    note_on_disorder,
    note_on_point,
    note_on_ranks,
    notes_on,
)

__all__ = [
    "CHAMPION",
    "POINTS",
    "PUBLISHED",
    "PULSE_CAPTIONS",
    "TASK_CAPTIONS",
    "Answer",
    "CeilingRow",
    "Ceilings",
    "ComparisonRow",
    "Content",
    "Designed",
    "DesignedRow",
    "Figure",
    "PublishedScore",
    "Section",
    "Table",
    "answer_of",
    "best_published",
    "ceiling_row",
    "ceilings_section",
    "compare_published",
    "data_section",
    "describe_pulses",
    "designed_row",
    "designed_section",
    "disorder_section",
    "learning_section",
    "note_on_disorder",
    "note_on_point",
    "note_on_ranks",
    "notes_on",
    "published_score",
    "published_section",
    "pulses_section",
    "render_html",
    "render_markdown",
    "score_rows",
    "table",
    "verdict_on_published",
]
