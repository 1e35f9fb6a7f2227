"""A coupling tensor and the direction of the field: what turns with it, and what fast precession leaves of it."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from nmr_platform import simulate
from nmr_platform.simulation import INTEGRATORS
from tests.builders import UNIT_STEP, delay, experiment, pulse
from tests.simulation.systems import draw_offsets, free_decay, record

DIAGONAL = ("x", "y", "z")
GENERAL = np.array([[0.05, 0.03, -0.02], [0.03, -0.04, 0.06], [-0.02, 0.06, 0.01]])
HAHN = {"kind": "hahn", "tau": 20 * UNIT_STEP, "theta1": 70.0, "phi1": 10.0, "theta2": 150.0, "phi2": 80.0}


def coupling(tensor):
    """The section of an experiment that stands for a tensor."""
    named = {f"alpha_{a}{b}": tensor[i, j] for i, a in enumerate("xyz") for j, b in enumerate("xyz") if i < j}
    return {f"alpha_{d}": tensor[i, i] for i, d in enumerate(DIAGONAL)} | named


def run(tensor, *, integrator="euler", **changes):
    values = experiment(**({"coupling": coupling(np.asarray(tensor)), "sequence": HAHN} | changes))
    offsets = draw_offsets(values.lattice.site_shape)
    return simulate(values, offsets=offsets, dtype="float64", integrator=integrator)


def turned(tensor, axis, degrees):
    """The tensor carried along by a turn."""
    turn = Rotation.from_euler(axis, degrees, degrees=True).as_matrix()
    return turn @ tensor @ turn.T


@pytest.mark.parametrize("integrator", INTEGRATORS)
@pytest.mark.parametrize("sequence", [HAHN, HAHN | {"nutation": 0.3}])
@pytest.mark.parametrize("tensor", [np.diag([0.08, -0.03, 0.0]), GENERAL], ids=["in the plane", "general"])
def test_a_turn_of_tensor_and_pulses_about_z_turns_the_record(tensor, sequence, integrator):
    phi = 37.0
    plain = run(tensor, sequence=sequence, integrator=integrator)
    shifted = sequence | {"phi1": 10.0 + phi, "phi2": 80.0 + phi}
    found = run(turned(tensor, "z", phi), sequence=shifted, integrator=integrator)
    assert np.abs(plain.m).max() > 0.1
    assert np.allclose(found.m, plain.m * np.exp(1j * np.radians(phi)), atol=1e-13)
    assert np.allclose(found.m_z, plain.m_z, atol=1e-13)


def test_the_turn_is_seen_where_the_pulses_stay():
    assert np.abs(run(turned(GENERAL, "z", 37.0)).m - run(GENERAL).m).max() > 0.01


@pytest.mark.parametrize("integrator", INTEGRATORS)
@pytest.mark.parametrize(("polar", "azimuth"), [(90.0, 0.0), (40.0, -110.0), (0.0, 25.0)])
def test_a_field_that_the_tensor_follows_changes_nothing(polar, azimuth, integrator):
    followed = turned(turned(GENERAL, "y", polar), "z", azimuth)
    found = run(followed, field={"polar": polar, "azimuth": azimuth}, integrator=integrator)
    assert np.allclose(record(found), record(run(GENERAL, integrator=integrator)), atol=1e-13)


def test_an_isotropic_tensor_does_not_see_the_direction():
    isotropic = 0.07 * np.eye(3)
    found = run(isotropic, field={"polar": 63.0, "azimuth": 20.0})
    assert np.allclose(record(found), record(run(isotropic)), atol=1e-13)


def test_a_field_along_x_is_the_diagonal_coupling_with_x_and_z_exchanged_to_the_bit():
    along_x = run(np.diag([0.02, 0.03, -0.05]), field={"polar": 90.0})
    assert np.array_equal(record(along_x), record(run(np.diag([-0.05, 0.03, 0.02]))))


def test_a_turn_by_90_degrees_about_z_takes_a_tensor_off_the_diagonal_onto_it():
    # [[0, a], [a, 0]] is diag(a, -a) in axes at 45 degrees.
    off, on = np.zeros((3, 3)), np.diag([0.06, -0.06, 0.0])
    off[0, 1] = off[1, 0] = 0.06
    assert np.allclose(record(run(off, field={"azimuth": 45.0})), record(run(on)), atol=1e-13)


@pytest.mark.parametrize("integrator", INTEGRATORS)
@pytest.mark.parametrize("xi", [2.0, 12.0])
def test_so_it_does_in_single_precision_with_short_and_long_ranges(xi, integrator):
    changes = {
        "lattice": {"shape": [48, 40]},
        "kernel": {"kind": "gaussian", "xi": xi},
        "line": {"fwhm": 0.05, "bandwidth": 0.5},
        "sequence": HAHN,
    }
    strength = 0.3 / (np.pi * xi**2)
    off, on = np.zeros((3, 3)), np.diag([strength, -strength, 0.0])
    off[0, 1] = off[1, 0] = strength
    turned_by_45 = experiment(coupling=coupling(off), field={"azimuth": 45.0}, **changes)
    assert np.array_equal(turned_by_45.coupling_tensor != 0, np.diag([True, True, False]))
    mixed = experiment(coupling=coupling(off), **changes)
    plain = experiment(coupling=coupling(on), field={"azimuth": -45.0}, **changes)
    aligned = experiment(coupling=coupling(on), **changes)
    for one, other in ((mixed, plain), (turned_by_45, aligned)):
        records = [record(simulate(each, seed=3, integrator=integrator)) for each in (one, other)]
        assert np.abs(records[0] - records[1]).max() < 5e-6
    shifted = HAHN | {"phi1": HAHN["phi1"] + 45.0, "phi2": HAHN["phi2"] + 45.0}
    found = simulate(mixed.replace(sequence=shifted), seed=3, integrator=integrator)
    expected = simulate(aligned, seed=3, integrator=integrator)
    assert np.abs(found.m - expected.m * np.exp(0.25j * np.pi)).max() < 5e-6


def test_without_disorder_the_magnetisation_is_a_free_top_of_any_axes():
    # dm/ds = m x A m keeps |m| and m.A m; `midpoint` at a 16th of the step keeps the energy to a ten-thousandth.
    values = experiment(
        kernel={"kind": "uniform"},
        coupling=coupling(GENERAL),
        sequence=free_decay(60, theta=50.0),
        step=UNIT_STEP / 16,
    )
    m = record(simulate(values, offsets=np.zeros((4, 4)), dtype="float64", integrator="midpoint"))
    energy = np.einsum("td,de,te->t", m, GENERAL, m)
    assert np.allclose(np.linalg.norm(m, axis=1), 0.5, atol=1e-12)
    assert np.ptp(m, axis=0).min() > 0.1
    assert np.ptp(energy) < 1e-4 * np.abs(energy).min()


def test_fast_precession_leaves_the_secular_part_of_a_tensor():
    # The whole tensor at rest in the laboratory, where all spins precess at nu_0: seen from axes that turn with them,
    # the record is that of `frame: laboratory`, but for alpha / nu_0.
    field = {"polar": 35.0, "azimuth": 80.0}
    errors = []
    for nu_0 in (4.0, 8.0):
        sequence = {"kind": "custom", "elements": [pulse(60.0), delay(400, 0.01)]}
        changes = {"sequence": sequence, "step": 0.01, "kernel": {"kind": "uniform"}, "field": field}
        offsets = draw_offsets((4, 4), 0.05)
        small = coupling(GENERAL / 5)
        kept = experiment(coupling=small | {"frame": "laboratory"}, **changes)
        secular = simulate(kept, offsets=offsets, dtype="float64", integrator="midpoint")
        whole = simulate(
            experiment(coupling=small, **changes), offsets=offsets + nu_0, dtype="float64", integrator="midpoint"
        )
        errors.append(np.abs(whole.m * np.exp(2j * np.pi * nu_0 * whole.time) - secular.m).max())
    nothing = simulate(experiment(coupling=coupling(np.zeros((3, 3))), **changes), offsets=offsets, dtype="float64")
    assert np.abs(nothing.m - secular.m).max() > 0.1
    assert errors[0] < 0.02
    assert errors[0] / errors[1] == pytest.approx(2.0, rel=0.15)
