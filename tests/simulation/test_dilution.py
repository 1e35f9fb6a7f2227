"""Lattices of which a part of the sites bears spins: against density matrices, smaller lattices and sums over pairs."""

import numpy as np
import pytest

from nmr_platform import ConfigurationError, simulate
from nmr_platform.simulation import INTEGRATORS, simulate_naively
from nmr_platform.simulation.engine import draw_gain, draw_spins
from tests.builders import UNIT_STEP, delay, experiment, pulse, shaped
from tests.naive import density_matrix
from tests.naive.pairs import pair_matrix
from tests.simulation.systems import RELAXING, draw_offsets, record

COUPLING = {"alpha_x": 0.02, "alpha_y": 0.03, "alpha_z": -0.05}
SEQUENCE = {
    "kind": "custom",
    "elements": [pulse(70, 20), delay(5), shaped((1.5 * UNIT_STEP, 0.1, 30.0), (0.6 * UNIT_STEP, 0.2, 75.0)), delay(9)],
}
LATTICES = {
    "square": {"shape": [5, 4]},
    "honeycomb": {"kind": "honeycomb", "shape": [3, 3]},
    "cubic": {"shape": [2, 3, 3]},
}


def line(weights, **changes):
    return {"fwhm": 0.1, "bandwidth": 0.5, "weights": weights} | changes


def diluted(abundance, shape=(5, 4), **changes):
    return experiment(lattice={"shape": list(shape), "abundance": abundance}, **changes)


def occupied(values, seed=0):
    return np.flatnonzero(draw_spins(values, seed=seed, offsets=None).signal_weights)


@pytest.mark.parametrize("weights", ["sampled", "integrated", "normalised"])
@pytest.mark.parametrize("lattice", LATTICES)
def test_the_engine_and_its_twin_agree_with_density_matrices_of_the_occupied_sites(lattice, weights):
    strength = 1 if weights == "sampled" else 10
    values = experiment(
        lattice=LATTICES[lattice] | {"abundance": 0.6},
        line=line(weights),
        coupling={name: strength * alpha for name, alpha in COUPLING.items()},
        sequence=SEQUENCE,
        dissipation=RELAXING,
        drive={"inhomogeneity": 0.1},
    )
    offsets = draw_offsets(values.lattice.site_shape)
    gain, sites = draw_gain(values, 3), occupied(values, seed=3)
    assert sites.size == round(0.6 * offsets.size)
    expected = density_matrix.evolve(values, offsets, gain=gain, occupied=sites)
    assert np.abs(expected[:, :2]).max() > 0.01
    for run in (simulate_naively, lambda *a, **k: simulate(*a, dtype="float64", **k)):
        assert np.abs(record(run(values, seed=3, offsets=offsets)) - expected).max() < 1e-10


@pytest.mark.parametrize("weights", ["sampled", "integrated", "normalised"])
@pytest.mark.parametrize("integrator", INTEGRATORS)
def test_with_a_uniform_kernel_it_is_the_smaller_system(integrator, weights):
    changes = {"kernel": {"kind": "uniform"}, "line": line(weights), "sequence": SEQUENCE, "coupling": COUPLING}
    part = diluted(0.4, (5, 6), **changes)
    small = experiment(lattice={"shape": [12]}, **changes)
    assert small.kernel_integral == pytest.approx(part.kernel_integral)
    # The same stream draws the offsets, so that even drawn ones are the same.
    for offsets in (None, draw_offsets((5, 6))):
        own = None if offsets is None else offsets.ravel()[occupied(part, seed=6)]
        runs = [
            simulate(each, seed=6, offsets=given, integrator=integrator, dtype="float64")
            for each, given in ((part, offsets), (small, own))
        ]
        assert np.allclose(record(runs[0]), record(runs[1]), atol=1e-13)


def test_an_abundance_of_1_has_the_bits_of_a_lattice_without_one():
    plain, whole = (simulate(each, seed=2) for each in (experiment(lattice={"shape": [5, 4]}), diluted(1.0)))
    assert np.array_equal(record(plain), record(whole))


@pytest.mark.parametrize("kernel", [{"kind": "gaussian", "xi": 1.5}, {"kind": "power", "exponent": 3.0}])
def test_the_mean_of_the_field_over_the_disorder_is_what_the_kernel_integral_says(kernel):
    # Fully polarised spins: the field on one is half the sum of K over the others, and W three times alpha sum K.
    alpha, sums = 0.01, []
    isotropic = dict.fromkeys(("alpha_x", "alpha_y", "alpha_z"), alpha)
    whole = experiment(lattice={"shape": [6, 6]}, kernel=kernel, coupling=isotropic)
    pairs = pair_matrix(whole)
    for abundance in (0.25, 0.5, 0.75):
        values = diluted(abundance, (6, 6), kernel=kernel, coupling=isotropic)
        found = [pairs[np.ix_(sites, sites)].sum() / sites.size for sites in (occupied(values, n) for n in range(400))]
        error = np.std(found) / np.sqrt(len(found))
        assert error < 0.02 * np.mean(found)
        assert values.kernel_integral / (3 * alpha) == pytest.approx(np.mean(found), abs=4 * error)
        assert values.kernel_sum == pytest.approx(abundance * whole.kernel_sum, abs=whole.kernel_sum / 35)
        sums.append(values.kernel_sum)
    assert np.diff(sums) == pytest.approx([9 / 35 * whole.kernel_sum] * 2)


@pytest.mark.parametrize("weights", ["sampled", "integrated", "normalised"])
def test_the_signal_of_full_polarisation_is_that_of_a_whole_lattice(weights):
    spins = draw_spins(diluted(0.3, (30, 30), line=line(weights)), seed=1, offsets=None)
    whole = draw_spins(diluted(1.0, (30, 30), line=line(weights)), seed=1, offsets=None)
    assert np.count_nonzero(spins.field_weights) == 270
    assert spins.signal_weights.sum() == pytest.approx(whole.signal_weights.sum(), rel=0.01)


def test_empty_sites_are_those_of_the_seed_whatever_else_it_draws():
    values = diluted(0.5, (6, 6))
    sites = occupied(values, seed=7)
    given = draw_spins(values, seed=7, offsets=draw_offsets((6, 6)))
    assert np.array_equal(np.flatnonzero(given.field_weights), sites)
    assert np.array_equal(given.offsets[sites], draw_offsets((6, 6)).ravel()[sites])
    assert not np.array_equal(occupied(values, seed=8), sites)
    # All sites are equally likely to be empty.
    counts = np.bincount(np.concatenate([occupied(values, seed) for seed in range(600)]), minlength=36)
    assert np.abs(counts - 300).max() < 5 * np.sqrt(150)


def test_offsets_of_empty_sites_do_not_count_but_must_be_numbers():
    values = diluted(0.5)
    empty = np.setdiff1d(np.arange(20), occupied(values))
    offsets = draw_offsets((5, 4))
    other = offsets.copy()
    other.flat[empty] = 0.3
    assert np.array_equal(record(simulate(values, offsets=offsets)), record(simulate(values, offsets=other)))
    other.flat[empty[0]] = np.nan
    with pytest.raises(ConfigurationError, match=r"`offsets` must be finite numbers in MHz, but is nan at site"):
        simulate(values, offsets=other)


def test_dilution_broadens_what_all_spins_feel_alike():
    # Without offsets all spins of a whole lattice stay parallel; on a diluted one every neighbourhood is another.
    tipped = {"kind": "hahn", "tau": 40 * UNIT_STEP, "theta1": 60.0}
    lengths = []
    for abundance in (1.0, 0.5):
        echo = simulate(diluted(abundance, (16, 16), sequence=tipped), offsets=np.zeros((16, 16)), dtype="float64")
        lengths.append(np.hypot(np.abs(echo.m), echo.m_z)[-1])
    assert lengths[0] == pytest.approx(0.5, abs=1e-12)
    assert lengths[1] < 0.499


def test_the_field_differs_from_spin_to_spin_as_in_a_draw_of_the_others_without_replacement():
    values = diluted(0.5, (6, 6))
    pairs = pair_matrix(values)
    found = [pairs[np.ix_(sites, sites)].sum(axis=1) for sites in (occupied(values, seed) for seed in range(400))]
    others = np.delete(pairs[0], 0)
    expected = 17 * (1 - 17 / 35) * others.var(ddof=1)
    assert np.var(found) == pytest.approx(expected, rel=0.1)
    # On a larger lattice the draws are nearly independent: f (1 - f) times the sum of K^2.
    others = np.delete(diluted(0.5, (48, 48)).kernel_values.ravel(), 0)
    assert 1151 * (1 - 1151 / 2303) * others.var(ddof=1) == pytest.approx((others**2).sum() / 4, rel=0.01)


def test_fluctuating_spins_of_a_diluted_lattice_feel_the_others_that_are_there():
    # Exact for a pure alpha_z coupling: every spin's echo is the product of cosines over its own neighbours.
    tau, alpha_z = 40.0, 4e-3
    values = diluted(
        0.25,
        (12, 12),
        kernel={"kind": "gaussian", "xi": 2.0},
        coupling={"alpha_x": 0.0, "alpha_y": 0.0, "alpha_z": alpha_z},
        sequence={"kind": "hahn", "tau": tau},
        step=0.5,
        initial={"fluctuations": "sampled", "draws": 100},
    )
    sites, pairs = occupied(values), pair_matrix(values)
    factors = np.cos(np.pi * alpha_z * pairs[np.ix_(sites, sites)] * 2 * tau)
    [at] = values.echo_indices
    echo = simulate(values, dtype="float64")
    assert 0.1 < 0.5 * factors.prod(axis=1).mean() < 0.4
    # 36 spins in 100 draws: an error of some 0.5 / sqrt(3600).
    assert abs(echo.m[at]) == pytest.approx(0.5 * factors.prod(axis=1).mean(), abs=0.03)
