"""Couplings and Lindblad rates."""

import numpy as np
import pytest

from nmr_platform import ConfigurationError, Experiment
from nmr_platform.physics import Coupling, Dissipation, FieldDirection
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
    seen = Coupling(alpha_x=1e-3, alpha_y=2e-3, alpha_z=-5e-4).seen_along(FieldDirection())
    assert np.array_equal(seen, np.diag([1e-3, 2e-3, -5e-4]))


def test_fast_precession_averages_the_transverse_couplings_of_the_laboratory():
    coupling = Coupling(alpha_x=1e-3, alpha_y=2e-3, alpha_z=-5e-4, frame="laboratory")
    seen = coupling.seen_along(FieldDirection())
    assert seen.diagonal() == pytest.approx((1.5e-3, 1.5e-3, -5e-4))
    assert np.array_equal(seen, np.diag(seen.diagonal()))
    assert seen.trace() == pytest.approx(coupling.total)


def test_the_average_is_that_of_the_coupling_tensor_over_a_turn():
    # The tensor diag(alpha_x, alpha_y) seen from axes that turn about z, averaged over a turn.
    tensor, turned = np.diag([1e-3, 2e-3]), []
    for phase in np.linspace(0, 2 * np.pi, 64, endpoint=False):
        axes = np.array([[np.cos(phase), -np.sin(phase)], [np.sin(phase), np.cos(phase)]])
        turned.append(axes.T @ tensor @ axes)
    coupling = Coupling(alpha_x=1e-3, alpha_y=2e-3, alpha_z=0.0, frame="laboratory")
    assert np.allclose(np.mean(turned, axis=0), coupling.seen_along(FieldDirection())[:2, :2], atol=1e-18)


def test_an_unknown_frame_is_refused():
    with pytest.raises(
        ConfigurationError, match=r"`coupling\.frame` is 'lab', but it must be 'rotating' or 'laboratory'"
    ):
        validate(
            Experiment,
            experiment_values(coupling={"alpha_x": 0.0, "alpha_y": 0.0, "alpha_z": 0.0, "frame": "lab"}),
        )


GENERAL = Coupling(alpha_x=1.0, alpha_y=2.0, alpha_z=-5.0, alpha_xy=0.3, alpha_xz=-0.7, alpha_yz=0.9)
DIRECTIONS = [
    FieldDirection(polar=polar, azimuth=azimuth) for polar, azimuth in [(0, 0), (90, 0), (30, -70), (200, 15)]
]


@pytest.mark.parametrize("field", DIRECTIONS)
def test_the_axes_of_the_field_are_the_unit_vectors_of_spherical_coordinates(field):
    theta, phi = np.radians(field.polar), np.radians(field.azimuth)
    along_polar = [np.cos(theta) * np.cos(phi), np.cos(theta) * np.sin(phi), -np.sin(theta)]
    along_azimuth = [-np.sin(phi), np.cos(phi), 0.0]
    along_field = [np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)]
    assert np.allclose(field.axes.T, [along_polar, along_azimuth, along_field], atol=1e-15)


@pytest.mark.parametrize("frame", ["rotating", "laboratory"])
@pytest.mark.parametrize("field", DIRECTIONS)
def test_the_trace_is_the_same_along_all_directions(field, frame):
    coupling = GENERAL.replace(frame=frame)
    assert coupling.total == -2.0
    assert coupling.seen_along(field).trace() == pytest.approx(-2.0)


def test_a_tensor_turns_as_its_axes_do():
    field = DIRECTIONS[2]
    seen = GENERAL.seen_along(field)
    assert np.allclose(seen, field.axes.T @ GENERAL.tensor @ field.axes, atol=1e-14)
    assert np.linalg.eigvalsh(seen) == pytest.approx(np.linalg.eigvalsh(GENERAL.tensor))


def test_a_field_along_x_takes_the_coupling_of_x_for_that_of_z():
    seen = Coupling(alpha_x=1.0, alpha_y=2.0, alpha_z=-5.0).seen_along(FieldDirection(polar=90.0))
    assert np.array_equal(seen, np.diag([-5.0, 2.0, 1.0]))


@pytest.mark.parametrize("field", DIRECTIONS)
def test_an_isotropic_tensor_has_no_elements_off_the_diagonal_in_any_axes(field):
    seen = Coupling(alpha_x=0.3, alpha_y=0.3, alpha_z=0.3).seen_along(field)
    assert np.array_equal(seen, np.diag(seen.diagonal()))
    assert seen.diagonal() == pytest.approx([0.3] * 3, rel=1e-15)


@pytest.mark.parametrize("polar", [0.0, 25.0, 54.7, 90.0])
def test_in_the_laboratory_only_the_coupling_along_the_field_and_the_trace_count(polar):
    axial = Coupling(alpha_x=1.0, alpha_y=1.0, alpha_z=4.0, frame="laboratory")
    along = np.sin(np.radians(polar)) ** 2 + 4.0 * np.cos(np.radians(polar)) ** 2
    seen = axial.seen_along(FieldDirection(polar=polar, azimuth=77.0))
    assert np.allclose(seen, np.diag([(6.0 - along) / 2, (6.0 - along) / 2, along]), atol=1e-14)


def test_keys_of_the_tensor_appear_in_plain_data_only_where_they_are_set():
    plain = Coupling(alpha_x=1.0, alpha_y=2.0, alpha_z=3.0, alpha_xz=0.5).model_dump()
    assert plain == {"alpha_x": 1.0, "alpha_y": 2.0, "alpha_z": 3.0, "alpha_xz": 0.5, "frame": "rotating"}
    along_z = validate(Experiment, experiment_values(field={"polar": 0.0}))
    assert "field" not in along_z.model_dump()
    assert validate(Experiment, experiment_values(field={"polar": 9.0})).model_dump()["field"]["polar"] == 9.0


def test_an_element_is_not_given_twice():
    with pytest.raises(ConfigurationError, match=r"`coupling\.alpha_yx` is not known\. Did you mean"):
        validate(
            Experiment,
            experiment_values(coupling={"alpha_x": 0.0, "alpha_y": 0.0, "alpha_z": 0.0, "alpha_yx": 1.0}),
        )
