"""Pictures of a pulse search whose best candidate may be one that the space does not hold."""

import numpy as np
import pytest

from nmr_platform.pulse_design import BASELINE, NOMINAL, Candidate, Contest, PulseSearch, Verdict
from nmr_platform.pulse_design.candidates import Assessed
from nmr_platform.stages.pulses.figures import draw_pulses
from nmr_platform.tracking import RunEntry
from tests.pulse_design.searching import hahn

TIME = np.linspace(0, 6, 20)
VERDICT = Verdict(
    [Contest(NOMINAL, "W", "best 1", "r2", 0.5, 0.6, 0.0, 0.2, "linear")],
    *(20, 10),
    [TIME, TIME],
    [np.exp(-TIME).astype(np.complex64)] * 2,
)


def candidate(number, value, name="", **params):
    sequences = hahn(params.get("theta1", 90.0), params.get("theta2", 180.0)).model_dump(mode="json")["sequences"]
    return Candidate(number, params, Assessed(value, 0.01, {}, 1.0, [value], 6.0, "", sequences, name))


@pytest.mark.parametrize("best", [0.4, 0.9], ids=["the textbook is worse", "the textbook is best"])
def test_the_map_shows_what_the_space_holds_whatever_is_best(best):
    tried = [candidate(0, best, BASELINE)]
    tried += [candidate(k, 0.5 + 0.01 * k, theta1=60.0 + k, theta2=150.0 + k**2) for k in range(1, 5)]
    run = RunEntry("pulse-design", "some", {}, {}, [])
    search = PulseSearch(run, "score", tried, {"theta1": 0.6, "theta2": 0.4})
    assert draw_pulses(search, VERDICT).keys() == {"map", "history", "pareto", "sequence", "echoes", "verdict"}
