"""The best candidates for a record, simulated again."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nmr_platform.datasets import Range
from nmr_platform.errors import DataError
from nmr_platform.inference.matched import Answer, Budget, Inferrer, refine
from nmr_platform.inference.matched.looks import digest_of
from nmr_platform.studies import closing_storage, load_studies, over_trials
from nmr_platform.tracking import NullTracker
from nmr_platform.workspace import Workspace
from tests.inference.matched.small import QUICK, SETTING, TRUTH, measured, priors

KNOWN = {"W": Range(low=0.12, high=0.3)}
N = 40
# Spins enough for little of the disorder's noise.
SQUARE = TRUTH.lattice.replace(shape=(24, 24))
RECORD = measured(Path("echo.csv"), truth=TRUTH.replace(lattice=SQUARE))


@pytest.fixture(scope="module")
def inferrer(tmp_path_factory):
    workspace, few = Workspace(tmp_path_factory.mktemp("refine")), Budget(seconds=None, curves=40)
    return Inferrer(SETTING.replace(lattice=SQUARE.model_dump()), priors(), budget=few, workspace=workspace, tune=QUICK)


def refined(inferrer, record, told=lambda _n: None):
    seen = inferrer.look(record)
    matched = inferrer._matched(seen)
    storage = inferrer.workspace.studies
    return refine(seen, matched, "gaussian", KNOWN, N, tracker=NullTracker(), storage=storage, progress=told)


@pytest.fixture(scope="module")
def found(inferrer):
    return refined(inferrer, RECORD)


def test_a_record_of_the_kernel_lies_in_the_band_of_its_best_candidates(found):
    assert found.p_value > 0.05
    assert not found.warnings
    assert 0.2 < found.chi_square < 3.0
    [band] = found.bands.values()
    inside = (band.lower.imag <= band.measured.imag) & (band.measured.imag <= band.upper.imag)
    assert inside[band.measured != 0].mean() > 0.7
    assert KNOWN["W"].low <= found.values["W"] <= KNOWN["W"].high
    assert {"X", "Z", "xi", "fwhm"} < set(found.values)
    assert abs(found.values["W"] - TRUTH.kernel_integral) < 0.08


def test_a_record_that_no_candidate_has_is_told_with_what_differs(inferrer):
    later = 0.4 * np.abs(RECORD.signal).max() * np.exp(-(((RECORD.time - 78.0) / 2.0) ** 2))
    found = refined(inferrer, RECORD.with_signal(RECORD.signal + later))
    assert found.p_value < 0.05
    assert found.chi_square > 2.0
    [sentence] = found.warnings
    assert "what differs most: its decay after the echo" in sentence


def test_what_was_tried_is_not_tried_again_and_says_the_same(inferrer, found):
    again = []
    same = refined(inferrer, RECORD, again.append)
    assert same.values == found.values
    assert same.p_value == found.p_value
    with closing_storage(inferrer.workspace.studies) as storage:
        own = f"refine/echo-{digest_of(inferrer.look(RECORD))}"
        [study] = [each for each in load_studies(storage) if each.study_name.startswith(own)]
    assert len(over_trials(study)) == N


def test_one_kernel_whose_candidates_fit_is_enough(inferrer, found, monkeypatch):
    tried = []

    def warnings(shares=None, **by_kernel):
        def refined(_seen, _matched, kernel, *_, **__):
            tried.append(kernel)
            if by_kernel[kernel] is None:
                message = "none like it"
                raise DataError(message)
            return replace(found, p_value=by_kernel[kernel], kernel=kernel)

        monkeypatch.setattr("nmr_platform.inference.matched.way.refine", refined)
        answer = Answer({}, shares or dict.fromkeys(by_kernel, 1 / len(by_kernel)), None)
        return inferrer._refined(inferrer.look(RECORD), None, answer)[1]

    assert warnings(gaussian=0.01, rkky=0.5) == ()
    assert len(warnings(gaussian=0.01, rkky=0.02)) == 2
    assert warnings(gaussian=0.01, rkky=None)[1] == "none like it"
    assert warnings(gaussian=0.5, rkky=None) == ()
    # An unlikely kernel is tried only where no likely one fits.
    tried.clear()
    unlikely = {"rkky": 0.2, "gaussian": 0.8}
    assert warnings(unlikely, gaussian=0.5, rkky=0.5) == ()
    assert tried == ["gaussian"]
    assert warnings(unlikely, gaussian=0.01, rkky=0.5) == ()
    assert tried == ["gaussian", "gaussian", "rkky"]
