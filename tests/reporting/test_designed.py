"""The sentence about a designed measurement says what the intervals say."""

import pytest

from nmr_platform.learning import Score
from nmr_platform.reporting import Designed, DesignedRow

SCORE = Score(0.9, 0.8, 0.95, 100)


def row(task, lower, upper):
    gain = Score((lower + upper) / 2, lower, upper, 100)
    return DesignedRow(task, "a question", "R2", SCORE, SCORE, gain, 300, 100)


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([row("W", 0.1, 0.2)], "tells more of W."),
        ([row("W", 0.1, 0.2), row("Z", 0.3, 0.5)], "tells more of W, Z."),
        ([row("W", -0.2, -0.1)], "tells less of W."),
        ([row("W", -0.2, 0.1)], "tells neither more nor less, as far as these curves can show, of W."),
        ([row("W", 0.1, 0.2), row("xi", -0.3, -0.1)], "tells more of W; less of xi."),
    ],
)
def test_the_verdict_is_computed(rows, sentence):
    assert Designed("90x", "80x", rows).verdict.endswith(sentence)
