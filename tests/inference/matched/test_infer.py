"""The way from a record to an answer, by models that are made for it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nmr_platform.errors import ConfigurationError, DataError
from nmr_platform.inference.matched import Budget, Inferrer, Interval, KernelPrior, Setting, parse_budget, priors_of
from nmr_platform.inference.matched.way import _of_line
from nmr_platform.workspace import Workspace
from tests.inference.matched.small import PRIOR, QUICK, SETTING, TRUTH, measured, priors

FEW = Budget(seconds=None, curves=40)


@pytest.fixture(scope="module")
def inferrer(tmp_path_factory):
    workspace = Workspace(tmp_path_factory.mktemp("infer"))
    return Inferrer(SETTING, priors("gaussian", "exponential"), budget=FEW, workspace=workspace, tune=QUICK)


@pytest.fixture(scope="module")
def inference(inferrer):
    return inferrer.infer(measured(Path("echo.csv")))


def test_every_quantity_has_an_interval_with_its_level_and_unit(inference):
    found = inference.answer.quantities
    assert set(found) == {"W", "X", "Z", "xi", "fwhm"}
    assert {each.level for each in found.values()} == {0.9}
    assert [found[name].unit for name in ("W", "fwhm", "xi")] == ["MHz", "MHz", "lattice constants"]
    assert all(each.lower <= each.value <= each.upper for each in found.values())
    # One small set of curves promises no more than this.
    assert found["W"].lower - 0.05 <= TRUTH.kernel_integral <= found["W"].upper + 0.05


def test_kernels_have_probabilities(inference):
    assert set(inference.answer.kernel) == {"gaussian", "exponential"}
    assert sum(inference.answer.kernel.values()) == pytest.approx(1.0)


def test_another_record_of_the_experiment_takes_what_was_learnt(inferrer, inference, monkeypatch):
    monkeypatch.setattr(type(inferrer), "_learn", lambda *_: pytest.fail("learnt again"))
    same = measured(Path("echo.csv"))
    other = inferrer.infer(same.with_signal(same.signal * 7e3 * np.exp(2j)))
    for name, each in inference.answer.quantities.items():
        assert other.answer.quantities[name].value == pytest.approx(each.value, rel=1e-3), "whatever the receiver"


def test_the_line_is_drawn_around_what_the_echo_shows_unless_it_is_told(inference):
    drawn = inference.matched.recipes(1)["gaussian"].prior
    assert drawn["line.fwhm"].low < 0.08 < drawn["line.fwhm"].high
    told = SETTING.replace(line={"fwhm": 0.08, "bandwidth": 1.0}, drive={})
    matched = Inferrer(told, priors(), budget=FEW)
    seen = matched.look(measured(Path("echo.csv")))
    recipe = type(inference.matched).of(seen, told, priors(), matched.given).recipes(1)["gaussian"]
    assert not {"line.fwhm", "drive.calibration", "lattice.shape.0"} & set(recipe.prior)
    assert recipe.example.line.fwhm == 0.08


def test_an_echo_that_couplings_may_have_narrowed_leaves_wider_lines_open(inference, tmp_path):
    low, high = inference.matched.widths
    assert low < 0.08 < high < 10 * low
    assert not _of_line(inference.matched, inference.answer)
    strong = {**PRIOR, "coupling.alpha_x": {"kind": "uniform", "low": 0.02, "high": 0.08}}
    prior = {"gaussian": KernelPrior(kernel={"kind": "gaussian"}, prior=strong)}
    own = Inferrer(SETTING.replace(step=0.05), prior, budget=FEW, workspace=Workspace(tmp_path), tune=QUICK)
    open_line = own._matched(own.look(measured(Path("echo.csv"))))
    assert open_line.widths[1] / open_line.widths[0] > 1.2 * high / low
    told = Interval(0.1, 0.02, 0.2, 0.9, "MHz", informative=False)
    [sentence] = _of_line(open_line, replace(inference.answer, quantities={"fwhm": told}))
    assert "go with what couplings left of it" in sentence
    assert "give `line: {fwhm: ..}`" in sentence


def test_lattices_are_drawn_unless_they_are_told(inference):
    free = SETTING.replace(lattice=None)
    own = inference.matched
    matched = type(own)(free, priors(), own.records, own.given, 0.08, own.noise, (0.04, 0.16))
    shapes = [matched.recipes(1)["gaussian"].curve(number).experiment.lattice.shape for number in range(20)]
    assert {side for shape in shapes for side in shape} == {64, 96, 128}


def test_too_few_curves_are_refused(tmp_path):
    few = Inferrer(SETTING, priors(), budget=Budget(seconds=None, curves=8), workspace=Workspace(tmp_path), tune=QUICK)
    with pytest.raises(DataError, match=r"Intervals need 10 simulated curves.*give a larger `--budget`"):
        few.infer(measured(Path("echo.csv")))


def test_a_budget_is_a_time_or_a_number_of_curves():
    assert parse_budget("90s") == Budget(seconds=90.0)
    assert parse_budget("1.5h").seconds == 5400.0
    for text in ("soon", "0", "-3", "5 km", "19", "9999999999"):
        with pytest.raises(
            ConfigurationError,
            match="must be a time such as 600s or 10min, or a number of curves of each kernel between 20 and",
        ):
            parse_budget(text)


def test_a_time_becomes_a_number_of_curves_that_is_kept(inference, tmp_path):
    inferrer = Inferrer(SETTING, priors(), budget=Budget(seconds=60.0), workspace=Workspace(tmp_path))
    kept = tmp_path / "budget.json"
    first = inferrer._n_curves(inference.matched, kept)
    assert 60 <= first <= 2000
    assert inferrer._n_curves(inference.matched, kept) == first


def test_priors_are_those_of_the_preset_or_of_a_file(tmp_path):
    assert [*priors_of(("rkky",))] == ["rkky"]
    with pytest.raises(ConfigurationError, match=r"`--kernels` must name kernels with a prior .* names 'table'"):
        priors_of(("table",))
    path = tmp_path / "prior.yaml"
    path.write_text("kernel.xi: {kind: uniform, low: 1.0, high: 2.0}\n")
    assert priors_of(("exponential",), path)["exponential"].kernel == {"kind": "exponential"}
    with pytest.raises(ConfigurationError, match="is the prior of one kernel: say of which by `--kernels`"):
        priors_of((), path)
    path.write_text("gaussian:\n  kernel.xi: {kind: uniform, low: 1.0, high: 2.0}\n")
    assert [*priors_of((), path)] == ["gaussian"]


def test_a_setting_needs_its_sequence_only():
    free = Setting(sequence={"kind": "hahn", "tau": 20.0}).of_free_spins(0.5).first
    assert free.sequence.tau / free.step == pytest.approx(round(free.sequence.tau / free.step))
    assert 2 * np.pi * free.step * free.line.bandwidth / 2 < 1.0


def test_what_the_file_says_of_the_field_and_of_where_the_spins_start_holds_for_every_simulated_curve(inference):
    own, initial = inference.matched, {"polarisation": 0.3, "fluctuations": "sampled"}
    setting = SETTING.replace(initial=initial, field={"polar": 40.0})
    told = type(own)(setting, priors(), own.records, own.given, 0.08, own.noise, (0.04, 0.16))
    made = told.recipes(1)["gaussian"].curve(0).experiment
    assert (made.initial.polarisation, made.initial.fluctuations, made.field.polar) == (0.3, "sampled", 40.0)
    assert not {"initial", "field"} & {*own.recipes(1)["gaussian"].experiment}


def test_a_somewhat_noisier_record_shares_the_training_set_and_a_much_noisier_one_does_not(inferrer, inference):
    path = Path("echo.csv")
    near, far = (inferrer._matched(inferrer.look(measured(path, noise=noise))) for noise in (0.0042, 0.012))
    assert near.digest == inference.matched.digest != far.digest
