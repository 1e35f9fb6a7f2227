"""What every objective must do; a test class inherits it and gives an `objective` fixture and a maker of new ones."""

import math

import pytest

from nmr_platform.errors import ConfigurationError
from nmr_platform.physics import Hahn
from nmr_platform.pulse_design import SequenceSet
from nmr_platform.pulse_design.objectives import LOWEST
from tests.pulse_design.searching import hahn

__all__ = ["ObjectiveContract"]


class ObjectiveContract:
    """Judgements are reproducible, bounded, continued by a larger share, and honest about what cannot be judged."""

    def test_the_judgement_is_the_same_to_the_last_bit_whatever_was_asked_before(self, objective, make):
        first = objective.judge(hahn())
        objective.judge(hahn(60.0, 150.0))
        assert objective.judge(hahn()) == first == make().judge(hahn())

    def test_values_and_errors_are_finite_and_no_value_is_below_the_lowest(self, objective):
        for tried in (hahn(), hahn(0.0), hahn(180.0, 0.0)):
            judged = objective.judge(tried)
            assert math.isfinite(judged.value)
            assert judged.value >= LOWEST
            assert judged.error >= 0
            assert all(math.isfinite(value) for value in judged.details.values())

    def test_details_are_named_alike_for_all_measurements(self, objective):
        assert objective.judge(hahn()).details.keys() == objective.judge(hahn(50.0, 100.0)).details.keys()

    def test_a_share_of_the_curves_is_judged_too(self, objective):
        part = objective.judge(hahn(), 0.5)
        assert math.isfinite(part.value)
        assert part.details.keys() == objective.judge(hahn()).details.keys()

    def test_two_sequences_are_judged_together(self, objective):
        both = SequenceSet.of(hahn().first, hahn(60.0, 150.0).first)
        assert math.isfinite(objective.judge(both).value)

    def test_a_sequence_without_a_first_pulse_is_worth_less_than_the_textbook_s(self, objective):
        assert objective.judge(hahn(0.0, 0.0)).value < objective.judge(hahn()).value

    def test_a_record_too_short_for_the_window_is_refused(self, objective):
        with pytest.raises(ConfigurationError, match="must hold a window of 20 samples, but has"):
            objective.judge(SequenceSet.of(Hahn(tau=0.6)))

    def test_it_has_a_label(self, objective):
        assert objective.label
