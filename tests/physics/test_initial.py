"""Where the spins start: as a value, and as draws."""

import numpy as np
import pytest

from nmr_platform import ConfigurationError, Experiment
from nmr_platform.physics import Initial, field_gauge, gaussian_decay
from nmr_platform.schema import validate
from tests.builders import experiment, experiment_values

SAMPLED = {"fluctuations": "sampled"}


@pytest.mark.parametrize(
    ("initial", "match"),
    [
        ({"polarisation": 1.2}, r"`initial\.polarisation` is 1\.2, but it must be less than or equal to 1"),
        ({"m": [0.0, 0.4, 0.4]}, r"`initial\.m` must be at most 1/2 long, .* but \[0\.0, 0\.4, 0\.4\] is 0\.5657 long"),
        ({"m": [0.0, 0.5]}, r"`initial\.m` is \[0\.0, 0\.5\], but it must have 3 or more entries"),
        ({"m": [0, 0, 0.1], "polarisation": 0.2}, r"`initial\.m` must not stand beside `initial\.polarisation`"),
        ({"draws": 3}, r"`initial\.draws` must be 1 unless `initial\.fluctuations` is sampled, .* but is 3\."),
        ({"fluctuations": "wigner"}, r"`initial\.fluctuations` is 'wigner', but it must be 'none' or 'sampled'"),
    ],
)
def test_what_no_spin_can_be_is_refused(initial, match):
    with pytest.raises(ConfigurationError, match=match):
        validate(Experiment, experiment_values(initial=initial))


def test_the_default_is_not_written_and_everything_else_survives_a_round_trip():
    plain = experiment()
    assert "initial" not in plain.model_dump()
    assert "initial" not in plain.model_dump_json()
    assert experiment(initial={}) == plain
    for initial in ({"polarisation": 0.3}, {"m": [0.1, 0.2, 0.3], **SAMPLED, "draws": 2}):
        values = experiment(initial=initial)
        assert Experiment.model_validate(values.model_dump()) == values
        assert Experiment.model_validate_json(values.model_dump_json()) == values
        assert values.replace(step=values.step / 2).initial == values.initial


def test_a_vector_of_full_length_may_err_by_rounding():
    assert Initial(m=(0.3, 0.4, 1e-6)).degree == 1.0


MEANS = [(0.0, 0.0, 0.5), (0.0, 0.0, -0.2), (0.3, -0.1, 0.2), (0.0, 0.25, -0.4), (-0.5, 0.0, 0.0), (0.0, 0.0, 0.0)]


@pytest.mark.parametrize("mean", MEANS)
def test_draws_have_the_moments_of_a_spin_one_half(mean):
    # <I_a> = m_a and <I_a I_b + I_b I_a>/2 = delta_ab / 4, whatever the state.
    size = 40_000
    spins = Initial(m=mean, **SAMPLED).draw(size, np.random.default_rng(1))
    assert np.allclose(np.linalg.norm(spins, axis=0), np.sqrt(3) / 2)
    assert np.allclose(spins.mean(axis=1), mean, atol=4 * 0.5 / np.sqrt(size))
    assert np.allclose(spins @ spins.T / size, np.eye(3) / 4, atol=4 * 0.5 / np.sqrt(size))


def test_a_polarisation_is_a_mean_along_z():
    one, other = Initial(polarisation=-0.4, **SAMPLED), Initial(m=(0.0, 0.0, -0.2), **SAMPLED)
    assert np.array_equal(*(each.draw(100, np.random.default_rng(2)) for each in (one, other)))
    assert set(np.unique(one.draw(100, np.random.default_rng(2)))) == {-0.5, 0.5}
    assert one.degree == other.degree == 0.4


def test_without_fluctuations_no_random_number_is_taken():
    rng = np.random.default_rng(3)
    assert (Initial(polarisation=0.5).draw(4, rng).T == [0.0, 0.0, 0.25]).all()
    assert rng.random() == np.random.default_rng(3).random()


def test_the_gauge_of_a_gaussian_kernel_is_known():
    # sum K = pi xi^2 - 1 and sum K^2 = pi xi^2 / 2 - 1 on a large square lattice.
    kernel = {"kind": "gaussian", "xi": 13.4}
    values = experiment(lattice={"shape": [100, 100]}, kernel=kernel, initial={"polarisation": 0.5})
    area = np.pi * 13.4**2
    assert field_gauge(values).ratio == pytest.approx(0.5 * (area - 1) / np.sqrt(area / 2 - 1), rel=1e-6)
    assert gaussian_decay(values) == pytest.approx(1 / (np.pi * 0.05 * np.sqrt(area / 2 - 1)), rel=1e-6)


def test_the_gauge_of_a_lattice_of_several_sites_is_the_mean_over_them():
    square = experiment(lattice={"shape": [4, 6]})
    cell = {"kind": "bravais", "shape": [4, 3], "vectors": [[1.0, 0.0], [0.0, 2.0]], "basis": [[0.0, 0.0], [0.0, 0.5]]}
    assert field_gauge(experiment(lattice=cell)).ratio == pytest.approx(field_gauge(square).ratio)


@pytest.mark.parametrize("weights", ["normalised", "integrated"])
def test_weights_in_the_field_are_those_of_the_gauge(weights):
    line = {"fwhm": 0.05, "bandwidth": 0.5, "weights": weights}
    values, plain = experiment(line=line, kernel={"kind": "uniform"}), experiment(kernel={"kind": "uniform"})
    p = values.line.draw(16, np.random.default_rng(0)).field_weights
    assert field_gauge(values).ratio == pytest.approx(15 * p.mean() / np.sqrt(15 * (p**2).mean()))
    assert gaussian_decay(values) == pytest.approx(gaussian_decay(plain) / np.sqrt((p**2).mean()))


def test_a_kernel_of_nothing_has_no_field_and_no_decay():
    values = experiment(lattice={"shape": [2]}, kernel={"kind": "table", "values": [0.0, 0.0]})
    assert (field_gauge(values).ratio, field_gauge(values).regime) == (0.0, "neither")
    assert gaussian_decay(values) == np.inf


def test_dilution_weakens_the_mean_field_more_than_the_fluctuations():
    whole, diluted = (experiment(lattice={"shape": [8, 8], "abundance": f}) for f in (1.0, 0.25))
    share = 15 / 63
    assert field_gauge(diluted).ratio == pytest.approx(field_gauge(whole).ratio * np.sqrt(share))
    assert gaussian_decay(diluted) == pytest.approx(gaussian_decay(whole) / np.sqrt(share))
