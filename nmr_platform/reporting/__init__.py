"""The report: published numbers, what to say and show, and how to set it."""

from nmr_platform.reporting.ceilings import CeilingRow, Ceilings, ceiling_row
from nmr_platform.reporting.designed import Designed, DesignedRow, designed_row
from nmr_platform.reporting.page import (
    Content,
    Figure,
    ScoreRow,
    Section,
    render_html,
    render_markdown,
    score_rows,
)
from nmr_platform.reporting.published import (
    PUBLISHED,
    ComparisonRow,
    PublishedScore,
    compare_published,
    published_score,
)
from nmr_platform.reporting.wording import (
    PULSE_CAPTIONS,
    TASK_CAPTIONS,
    describe_pulses,
    note_on_ranks,
    notes_on,
)

__all__ = [
    "PUBLISHED",
    "PULSE_CAPTIONS",
    "TASK_CAPTIONS",
    "CeilingRow",
    "Ceilings",
    "ComparisonRow",
    "Content",
    "Designed",
    "DesignedRow",
    "Figure",
    "PublishedScore",
    "ScoreRow",
    "Section",
    "ceiling_row",
    "compare_published",
    "describe_pulses",
    "designed_row",
    "note_on_ranks",
    "notes_on",
    "published_score",
    "render_html",
    "render_markdown",
    "score_rows",
]
