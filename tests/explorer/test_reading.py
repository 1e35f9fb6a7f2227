import numpy as np
import pytest

from nmr_platform.explorer.figures import as_svg, draw_echoes, draw_features, draw_posterior, draw_weights
from nmr_platform.explorer.opening import EXAMPLE, Opening
from nmr_platform.explorer.overlay import lay_over, read_overlay
from nmr_platform.explorer.page import answers_of, facts_of, features_table
from nmr_platform.explorer.reading import Answer, features_of, posterior_of, read_by, weigh
from nmr_platform.physics import Measurement
from nmr_platform.simulation import measure
from tests.inference.predictors import ACQUISITION, RECORDS, classifier, measured, regressor

ONE = Measurement.of(ACQUISITION.experiment)
SEVERAL = Measurement.model_validate(
    {
        **{name: getattr(ACQUISITION.experiment, name) for name in ("lattice", "kernel", "coupling", "line")},
        "step": 0.5,
        "sequences": {"s1": RECORDS["s1"].experiment.sequence, "s2": RECORDS["s2"].experiment.sequence},
    }
)


@pytest.fixture(scope="module")
def echoes():
    return measure(ONE, seed=0, integrator="fast")


def test_a_model_reads_the_echo_with_its_interval(echoes):
    answer = read_by(regressor(), ONE, echoes)
    expected = regressor().predict(echoes[""].m[None], echoes[""].time).iloc[0]
    assert (answer.value, answer.lower, answer.unit) == (expected["prediction"], expected["lower"], "MHz")
    assert answer.lower < answer.value < answer.upper


def test_a_classifier_gives_a_probability_for_every_class(echoes):
    answer = read_by(classifier(), ONE, echoes)
    assert sum(answer.probabilities.values()) == pytest.approx(1.0)
    assert answer.value in answer.probabilities


def test_a_model_of_another_sequence_says_why_it_does_not_read(echoes):
    other = ONE.replace(sequence=ONE.sequence.replace(theta1=45.0))
    answer = read_by(regressor(), other, measure(other, integrator="fast"))
    assert answer.value is None
    assert "its `theta1` is 45.0 instead of 90.0" in answer.note
    assert "not for this record" in answers_of([answer])


def test_a_model_of_several_records_refuses_one(echoes):
    assert "must have the records that the model learnt from" in read_by(measured(), ONE, echoes).note


def test_a_model_of_one_record_looks_at_the_first_of_several():
    echoes = measure(SEVERAL, integrator="fast")
    single = measure(Measurement.of(SEVERAL.first), integrator="fast")
    assert read_by(regressor(), SEVERAL, echoes).value == read_by(regressor(), ONE, single).value


@pytest.mark.parametrize("model", [regressor, classifier], ids=["number", "class"])
def test_stretches_that_are_as_without_coupling_weigh_nothing(model, echoes):
    bare = ONE.replace(coupling=ONE.coupling.replace(alpha_x=0.0, alpha_y=0.0, alpha_z=0.0))
    [weights] = weigh(model(), bare, measure(bare, integrator="fast"), seed=0)
    assert not weights.change.any()
    [weights] = weigh(model(), ONE, echoes, seed=0)
    assert np.isfinite(weights.change).all()
    assert weights.time.min() > ACQUISITION.echo_time - 11.0
    assert "<svg" in as_svg(draw_weights(echoes[""], weights), "weights")


def test_the_features_on_the_page_are_those_that_the_model_sees(echoes):
    seen = features_of(regressor(), ONE, echoes)
    assert seen.name == regressor().facts.feature_set.name
    assert len(seen.table) == 2 * 40
    assert "<svg" in as_svg(draw_features(seen, echoes), "features")
    assert features_table(seen).count("<tr>") == 81


def test_without_a_model_the_features_are_cubic_fits_to_the_magnitude(echoes):
    seen = features_of(None, ONE, echoes)
    assert seen.table["power"].notna().all()
    assert "10 bins" in as_svg(draw_features(seen, echoes), "features")


def test_models_without_a_posterior_have_none(echoes):
    assert posterior_of(regressor(), features_of(regressor(), ONE, echoes)) is None


def test_a_posterior_is_drawn_with_its_interval():
    drawn = draw_posterior(np.linspace(0, 1, 9), np.ones(9), Answer("W", 0.5, "W", "MHz", 0.2, 0.8, 0.9))
    assert "W (MHz)" in as_svg(drawn, "posterior of W")


def test_a_measured_record_is_scaled_onto_the_echo(echoes, tmp_path):
    echo, path = echoes[""], tmp_path / "echo.csv"
    np.savetxt(path, np.column_stack([echo.time, 700 * echo.m.real, 700 * echo.m.imag]), delimiter=",")
    overlay = lay_over(read_overlay(path, ONE, {"unit": "us"})[""], echo)
    assert np.nanmax(np.abs(np.abs(overlay.m) - np.abs(echo.m))) < 0.02
    assert overlay.rms < 0.01
    svg = as_svg(draw_echoes(echoes, {"": overlay}, held=echoes, parts=True), "echo")
    assert "measured" in svg
    assert "rms to measured" in facts_of(ONE, echoes, {"": overlay}, 0.1)


def test_names_on_the_page_cannot_be_markup():
    card = answers_of([Answer("<script>", "a<b", probabilities={"a<b": 1.0}, p_value=0.01, note="<i>")])
    assert "<script>" not in card
    assert "<i>" not in card
    assert "answer strange" in card


def test_without_models_the_page_says_how_to_make_some(tmp_path):
    opening = Opening(root=str(tmp_path))
    assert opening.predictors == []
    assert opening.first == EXAMPLE
    assert "make run" in answers_of([])


def test_the_page_begins_with_what_the_models_learnt_from(tmp_path):
    measured().save(tmp_path)
    opening = Opening(models=(str(tmp_path),))
    assert [*opening.first.experiments] == ["s1", "s2"]
    assert opening.first.experiments["s1"] == RECORDS["s1"].experiment
