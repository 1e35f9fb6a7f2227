"""Couplings and Lindblad rates."""

import pytest

from nmr_platform.physics import Coupling, Dissipation


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
