"""Couplings and Lindblad rates."""

import numpy as np
import pytest

from nmr_platform import ConfigurationError, Experiment
from nmr_platform.physics import Coupling, Dissipation
from nmr_platform.schema import validate
from tests.builders import experiment_values


def test_the_total_coupling_adds_the_three_components():
    assert Coupling(alpha_x=1e-3, alpha_y=2e-3, alpha_z=-5e-4).total == pytest.approx(2.5e-3)


def test_every_jump_operator_contributes_half_its_rate_to_transverse_decay():
    assert Dissipation(gamma_plus=0.1, gamma_minus=0.2, gamma_z=0.4).transverse_rate == pytest.approx(0.35)


def test_only_raising_and_lowering_relax_the_longitudinal_component():
    bath = Dissipation(gamma_plus=0.1, gamma_minus=0.3, gamma_z=0.4)
    assert bath.longitudinal_rate == pytest.approx(0.4)
    assert bath.equilibrium == pytest.approx(-0.25)


@pytest.mark.parametrize(("rates", "equilibrium"), [((0.2, 0.0), 0.5), ((0.0, 0.2), -0.5), ((0.0, 0.0), 0.0)])
def test_pumping_one_way_ends_fully_polarised(rates, equilibrium):
    assert Dissipation(gamma_plus=rates[0], gamma_minus=rates[1]).equilibrium == equilibrium


def test_there_is_no_dissipation_by_default():
    bath = Dissipation()
    assert (bath.transverse_rate, bath.longitudinal_rate) == (0, 0)


def test_the_rotating_frame_takes_the_couplings_as_they_are():
    assert Coupling(alpha_x=1e-3, alpha_y=2e-3, alpha_z=-5e-4).in_rotating_frame == (1e-3, 2e-3, -5e-4)


def test_fast_precession_averages_the_transverse_couplings_of_the_laboratory():
    coupling = Coupling(alpha_x=1e-3, alpha_y=2e-3, alpha_z=-5e-4, frame="laboratory")
    assert coupling.in_rotating_frame == pytest.approx((1.5e-3, 1.5e-3, -5e-4))
    assert sum(coupling.in_rotating_frame) == pytest.approx(coupling.total)


def test_the_average_is_that_of_the_coupling_tensor_over_a_turn():
    # The tensor diag(alpha_x, alpha_y) seen from axes that turn about z, averaged over a turn.
    tensor, turned = np.diag([1e-3, 2e-3]), []
    for phase in np.linspace(0, 2 * np.pi, 64, endpoint=False):
        axes = np.array([[np.cos(phase), -np.sin(phase)], [np.sin(phase), np.cos(phase)]])
        turned.append(axes.T @ tensor @ axes)
    coupling = Coupling(alpha_x=1e-3, alpha_y=2e-3, alpha_z=0.0, frame="laboratory")
    assert np.allclose(np.mean(turned, axis=0), np.diag(coupling.in_rotating_frame[:2]), atol=1e-18)


def test_an_unknown_frame_is_refused():
    with pytest.raises(
        ConfigurationError, match=r"`coupling\.frame` is 'lab', but it must be 'rotating' or 'laboratory'"
    ):
        validate(
            Experiment,
            experiment_values(coupling={"alpha_x": 0.0, "alpha_y": 0.0, "alpha_z": 0.0, "frame": "lab"}),
        )
