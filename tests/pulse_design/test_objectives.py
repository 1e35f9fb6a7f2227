"""The objectives: the contract of all, and what each of them means."""

from functools import cache

import numpy as np
import pytest
from sklearn.metrics import r2_score

from nmr_platform import simulate
from nmr_platform.errors import ConfigurationError, DataError
from nmr_platform.physics import Experiment
from nmr_platform.pulse_design import Ensemble, RecordCache, SequenceSet
from nmr_platform.pulse_design.objectives.objective import noise_covariance
from nmr_platform.pulse_design.objectives.questions import NumberQuestion, skill_statistics
from nmr_platform.pulse_design.objectives.unknowns import changed, gradient, read
from tests.builders import experiment_values
from tests.pulse_design.objective_contract import ObjectiveContract
from tests.pulse_design.searching import (
    CLASSES,
    FISHER,
    POWER,
    RIDGE,
    SCORE,
    SEPARATION,
    hahn,
    search_recipe,
    search_settings,
)


def made(objective, **changes):
    settings = search_settings(objective=objective | changes)
    recipes = {"gaussian": search_recipe(), "power": search_recipe(**POWER)}
    ensembles = {name: Ensemble(recipes[name].replace(seed=settings.seed_of(name))) for name in settings.kernels}
    return settings.objective.prepare(ensembles, settings.kernel, settings.features, settings.seed)


@cache
def kept(kind):
    return made({each["kind"]: each for each in (SCORE, FISHER, SEPARATION)}[kind])


class TestScore(ObjectiveContract):
    @pytest.fixture
    def objective(self):
        return kept(SCORE["kind"])

    @pytest.fixture
    def make(self):
        return lambda: made(SCORE)

    def test_it_is_the_r2_of_curves_that_the_estimator_had_not_seen(self, objective):
        asked = NumberQuestion(
            {"gaussian": Ensemble(search_recipe())}, search_settings().features, 2, 5, 8, ["W"], "trees"
        )
        true, predicted = asked.predict(hahn())
        judged = objective.judge(hahn())
        assert judged.value == judged.details["r2_W"] == pytest.approx(r2_score(true, predicted), abs=1e-12)
        # Trees that had seen them would know them by heart.
        assert judged.value < 0.999

    def test_several_targets_are_averaged(self):
        judged = made(SCORE, targets=["X", "Z"]).judge(hahn())
        assert judged.value == pytest.approx((judged.details["r2_X"] + judged.details["r2_Z"]) / 2)


class TestRidge(ObjectiveContract):
    @pytest.fixture
    def objective(self):
        return made(RIDGE)

    @pytest.fixture
    def make(self):
        return lambda: made(RIDGE)

    def test_targets_do_not_change_each_other(self, objective):
        alone = made(RIDGE, targets=["X"]).judge(hahn())
        assert alone.details["r2_X"] == pytest.approx(objective.judge(hahn()).details["r2_X"], rel=1e-6)

    def test_what_the_prior_does_not_draw_cannot_be_read_off(self):
        with pytest.raises(DataError, match="Target `gamma_z` must differ between curves to be learnt"):
            made(RIDGE, targets=["gamma_z"])
        with pytest.raises(DataError, match=r"Key `target` must be one of W, .* but is 'beauty'"):
            made(RIDGE, targets=["beauty"])


class TestClasses(ObjectiveContract):
    @pytest.fixture
    def objective(self):
        return made(CLASSES)

    @pytest.fixture
    def make(self):
        return lambda: made(CLASSES)

    def test_each_kernel_has_disorder_of_its_own(self):
        settings = search_settings(objective=CLASSES)
        assert settings.kernels == ("gaussian", "power")
        assert settings.seed_of("gaussian") == settings.seed != settings.seed_of("power")
        shared = search_settings(objective=SEPARATION)
        assert shared.seed_of("power") == shared.seed

    def test_it_is_judged_by_f1_or_by_the_log_loss(self, objective):
        f1, skill = (each.judge(hahn()) for each in (objective, made(CLASSES, classes_by="log_loss")))
        assert f1.details == skill.details
        assert f1.value == f1.details["f1_weighted_gaussian_power"]
        assert skill.value == skill.details["skill_gaussian_power"]

    def test_kernels_and_numbers_weigh_the_same(self, objective):
        both = made(CLASSES, targets=["W"], estimator="ridge").judge(hahn())
        apart = objective.judge(hahn()).value, made(RIDGE, targets=["W"]).judge(hahn()).value
        assert both.value == pytest.approx(np.mean(apart))


def test_the_skill_is_0_for_a_guess_1_for_certainty_and_does_not_count_classes_by_size():
    codes = np.array([0, 0, 0, 1])
    once = np.ones((1, 4))
    guess, sure = np.full((4, 2), 0.5), np.eye(2)[codes]
    lopsided = np.where(np.arange(2) == codes[:, np.newaxis], [[0.8, 0.2]], [[0.2, 0.8]])
    assert skill_statistics(codes, guess)(once)["skill"] == pytest.approx(0.0)
    assert skill_statistics(codes, sure)(once)["skill"] == pytest.approx(1.0)
    expected = 1 + (np.log(0.8) + np.log(0.2)) / 2 / np.log(2)
    assert skill_statistics(codes, lopsided)(once)["skill"] == pytest.approx(expected)


class TestFisher(ObjectiveContract):
    @pytest.fixture
    def objective(self):
        return kept(FISHER["kind"])

    @pytest.fixture
    def make(self):
        return lambda: made(FISHER)

    def test_more_noise_leaves_less_to_know(self, objective):
        assert made(FISHER, noise=1.0).judge(hahn()).value < objective.judge(hahn()).value

    def test_a_further_unknown_makes_no_bound_better(self, objective):
        fewer = made(FISHER, parameters=["X", "Z"]).judge(hahn()).details
        more = objective.judge(hahn()).details
        # Nearly: slopes are taken over other displacements.
        assert more["bound_X"] >= fewer["bound_X"] * (1 - 1e-3)
        assert more["bound_Z"] >= fewer["bound_Z"] * (1 - 1e-3)

    def test_without_a_signal_nothing_is_known_beyond_the_prior(self, objective):
        judged = objective.judge(hahn(0.0, 0.0))
        assert judged.value == pytest.approx(0.0, abs=1e-3)
        spread = Ensemble(search_recipe()).labels["Z"].std(ddof=0)
        assert judged.details["bound_Z"] == pytest.approx(spread, rel=1e-3)

    def test_a_target_may_be_any_quantity_that_follows_from_the_unknowns(self):
        judged = made(FISHER, targets=["xi", "alpha_x"]).judge(hahn())
        assert all(0.0 <= judged.details[f"r2_{name}"] < 1.0 for name in ("xi", "alpha_x"))

    def test_what_a_target_follows_from_must_not_seem_to_be_known(self):
        made(FISHER, targets=["W", "Z"], parameters=["X", "Z"])
        with pytest.raises(ConfigurationError, match="Key `parameters` must hold xi, which `alpha_x` follows from"):
            made(FISHER, targets=["alpha_x"], parameters=["X", "Z"])

    def test_what_the_prior_does_not_draw_has_no_bound(self):
        with pytest.raises(DataError, match="Target `gamma_z` must differ between curves"):
            made(FISHER, targets=["gamma_z"])

    def test_an_unknown_that_the_kernel_lacks_is_refused(self):
        with pytest.raises(ConfigurationError, match="power has no xi"):
            search_settings(objective=FISHER).objective.prepare(
                {"gaussian": Ensemble(search_recipe(**POWER))}, "gaussian", search_settings().features, 0
            )


class TestSeparation(ObjectiveContract):
    @pytest.fixture
    def objective(self):
        return kept(SEPARATION["kind"])

    @pytest.fixture
    def make(self):
        return lambda: made(SEPARATION)

    def test_more_noise_brings_kernels_closer(self, objective):
        assert made(SEPARATION, noise=0.1).judge(hahn()).value < objective.judge(hahn()).value


def test_the_fisher_information_of_a_linear_signal_is_the_closed_form():
    # Two unknowns, white noise: J^T J / sigma^2, without the prior where nothing is drawn.
    groups = [np.zeros((2, 3)) for _ in range(4)]
    np.testing.assert_allclose(noise_covariance(groups, 0.5), 0.25 * np.eye(3), atol=1e-15)


def test_the_covariance_of_many_draws_is_theirs():
    rng = np.random.default_rng(0)
    mixing = rng.normal(size=(4, 4))
    groups = [rng.normal(size=(5, 4)) @ mixing.T + rng.normal(size=4) for _ in range(4000)]
    np.testing.assert_allclose(noise_covariance(groups, 0.1), mixing @ mixing.T + 0.01 * np.eye(4), atol=0.15)


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [("X", 0.01, ("Z", "xi")), ("Z", 0.02, ("X", "xi")), ("xi", 1.8, ("X", "Z")), ("gamma_z", 1e-3, ("X", "Z", "xi"))],
)
def test_one_unknown_changes_and_the_others_stay(name, value, kept):
    before = Experiment.model_validate(experiment_values())
    after = changed(before, name, value)
    assert read(after, name) == pytest.approx(value)
    for other in kept:
        assert read(after, other) == pytest.approx(read(before, other))
    ratio = before.coupling.alpha_y / before.coupling.alpha_x
    assert after.coupling.alpha_y / after.coupling.alpha_x == pytest.approx(ratio)


def test_another_range_leaves_the_whole_tensor_times_the_sum_of_the_kernel_as_it_is():
    tensor = {"alpha_x": 1e-3, "alpha_y": 2e-3, "alpha_z": -1e-3, "alpha_xz": 5e-4, "frame": "laboratory"}
    before = Experiment.model_validate(experiment_values(coupling=tensor))
    after = changed(before, "xi", 1.8)
    assert after.kernel_sum != pytest.approx(before.kernel_sum)
    strengths = [each.coupling.tensor * each.kernel_sum for each in (before, after)]
    np.testing.assert_allclose(*strengths)
    assert after.coupling.frame == "laboratory"


def test_the_gradient_of_a_quantity_is_the_closed_form():
    at = Experiment.model_validate(experiment_values())
    names = ("X", "Z", "xi", "gamma_z")
    ratio = at.coupling.alpha_y / at.coupling.alpha_x
    np.testing.assert_allclose(gradient(at, "W", names), [1 + ratio, 1, 0, 0], atol=1e-9)
    np.testing.assert_allclose(gradient(at, "gamma_z", names), [0, 0, 0, 1])
    # alpha_z = Z / sum K, at constant Z.
    sums = [changed(at, "xi", at.kernel.xi * (1 + shift)).kernel_sum for shift in (-1e-3, 1e-3)]
    per_xi = -read(at, "Z") / at.kernel_sum**2 * (sums[1] - sums[0]) / (2e-3 * at.kernel.xi)
    np.testing.assert_allclose(gradient(at, "alpha_z", names), [0, 1 / at.kernel_sum, per_xi, 0], rtol=1e-4, atol=1e-9)


@pytest.mark.parametrize("tried", [hahn(), hahn(70.0, 150.0)], ids=str)
def test_a_record_of_the_ensemble_is_what_simulating_its_curve_by_hand_gives(tried):
    recipe = search_recipe()
    m = Ensemble(recipe).records(tried, 20)["s1"]
    for number in (0, 7, 19):
        curve = recipe.curve(number)
        echo = simulate(curve.experiment.replace(sequence=tried.first), seed=curve.disorder_seed)
        np.testing.assert_array_equal(m[number], echo.m)


def test_the_noise_of_a_second_sequence_is_another_one():
    recipe = search_recipe(experiment=search_recipe().experiment | {"receiver": {"noise": 0.1}})
    twice = SequenceSet.of(hahn().first, hahn().first)
    first, second = Ensemble(recipe).records(twice, 3).values()
    assert not np.isclose(first, second).any()


def test_records_that_were_made_are_read_again_and_more_of_them_continue_them(tmp_path, monkeypatch):
    ensemble = Ensemble(search_recipe(n_curves=50), RecordCache(tmp_path))
    few = ensemble.records(hahn(), 40)["s1"]
    simulated = []
    original = Ensemble._simulate
    monkeypatch.setattr(
        Ensemble, "_simulate", lambda self, curves: simulated.append(len(curves)) or original(self, curves)
    )
    again = Ensemble(search_recipe(n_curves=50), RecordCache(tmp_path)).records(hahn(), 40)["s1"]
    assert simulated == []
    more = ensemble.records(hahn(), 50)["s1"]
    assert simulated == [10]
    np.testing.assert_array_equal(again, few)
    np.testing.assert_array_equal(more[:40], few)


def test_a_damaged_file_is_made_again_and_a_full_folder_loses_its_oldest(tmp_path):
    cache = RecordCache(tmp_path, megabytes=0.01)
    first = cache.get({"n": 1}, lambda: np.ones(500))
    (file,) = tmp_path.glob("*.npy")
    file.write_bytes(b"torn")
    np.testing.assert_array_equal(cache.get({"n": 1}, lambda: first), first)
    for n in range(2, 6):
        cache.get({"n": n}, lambda: np.ones(500))
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 12_000
