"""A model of measurements of several sequences: records by name, in Python, in requests and in files."""

import numpy as np
import pandas as pd
import pytest

from nmr_platform.datasets import Recorded
from nmr_platform.errors import DataError, UnmetNeedError
from nmr_platform.features import PointwiseFeatures, ShapeFeatures
from nmr_platform.inference import Conditions, Predictor
from nmr_platform.inference.prediction import predict_files
from tests.exchange.instrument_files import write_text_record
from tests.inference.predictors import RECORDS, echoes, measured, measurements, regressor

TIMES = {name: own.time for name, own in RECORDS.items()}
ONE = PointwiseFeatures(signal="complex", half_width=20, records=("s1",))


@pytest.fixture(scope="module")
def of_w():
    return measured()


def request(m, **columns):
    cells = {}
    for name, own in m.items():
        cells |= {f"time.{name}": [TIMES[name].tolist()] * len(own), f"real.{name}": list(own.real)}
        cells[f"imag.{name}"] = list(own.imag)
    return pd.DataFrame(cells | columns)


def test_records_are_given_by_name_in_any_order(of_w):
    m, w = measurements(40, seed=1)
    answer = of_w.predict(m, TIMES)
    assert np.abs(answer["prediction"] - w).max() < 0.03
    assert (answer["p_value"] > 0.05).mean() > 0.8
    turned = of_w.predict(dict(reversed(m.items())), TIMES, acquisition=RECORDS)
    pd.testing.assert_frame_equal(turned, answer)
    swapped = of_w.predict(m | {"s2": m["s2"][::-1]}, TIMES)
    assert (swapped["prediction"] != answer["prediction"]).any()


def test_what_is_read_back_predicts_the_same(of_w, tmp_path):
    of_w.save(tmp_path)
    read, (m, _) = Predictor.load(tmp_path), measurements(4, seed=2)
    assert list(read.facts.records) == ["s1", "s2"]
    pd.testing.assert_frame_equal(read.predict(m, TIMES), of_w.predict(m, TIMES))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda m: {"s1": m["s1"]}, r"the records that the model learnt from \(`s1`, `s2`\), but has `s1`\."),
        (lambda m: m | {"s3": m["s2"]}, r"learnt from \(`s1`, `s2`\), but has `s1`, `s2`, `s3`\."),
        (lambda m: m["s1"], r"learnt from \(`s1`, `s2`\), but has the one of a single sequence\."),
    ],
)
def test_other_records_are_refused_by_name(of_w, change, sentence):
    m = change(measurements(2)[0])
    times = {name: TIMES["s2" if name == "s3" else name] for name in m} if isinstance(m, dict) else TIMES["s1"]
    with pytest.raises(DataError, match=sentence):
        of_w.predict(m, times)


def test_a_model_of_one_sequence_refuses_several():
    with pytest.raises(DataError, match=r"\(the one of a single sequence\), but has `s1`, `s2`"):
        regressor().predict(measurements(2)[0], TIMES)


def test_a_record_of_another_kind_is_refused_by_its_name(of_w):
    m, _ = measurements(2)
    with pytest.raises(DataError, match=r"^Record `s2`: The curve must have a sample every 0\.25 us, .* every 0\.5 us"):
        of_w.predict(m, TIMES | {"s2": 2 * TIMES["s2"]})
    with pytest.raises(DataError, match=r"^Record `s2`: .* learnt from, `60x - 15 us.* said to be of `90x - 15 us"):
        of_w.predict(m, TIMES, sequence={"s2": "90x - 15 us - 180y - 30 us"})
    other = Conditions.of(RECORDS["s2"].experiment.replace(sequence={"kind": "hahn", "tau": 15.0, "theta1": 50.0}))
    with pytest.raises(DataError, match=r"^Record `s2`: .*its `theta1` is 50\.0 instead of 60\.0"):
        of_w.predict(m, TIMES, acquisition={"s2": other})
    with pytest.raises(UnmetNeedError, match="needs the phase of the record `s2`, but it is a guess"):
        of_w.predict(m, TIMES, recorded={"s2": Recorded(guessed=("phase",))})


def test_samples_that_no_feature_needs_may_be_missing_from_one_record(of_w):
    m, _ = measurements(3, seed=3)
    expected = of_w.predict(m, TIMES)
    part = {"s1": m["s1"], "s2": m["s2"][:, 90:]}
    pd.testing.assert_frame_equal(of_w.predict(part, TIMES | {"s2": TIMES["s2"][90:]}), expected)
    gaps = {name: own.copy() for name, own in m.items()}
    gaps["s1"][1, :50], gaps["s2"][2, :60] = np.nan, 0
    pd.testing.assert_frame_equal(of_w.predict(gaps, TIMES), expected)
    gaps["s2"][1, 110:130] = 0
    with pytest.raises(
        UnmetNeedError, match=r"needs the record `s2` from 25 to 34\.75 us, of which 27\.5 to 32\.25 us"
    ):
        of_w.predict(gaps, TIMES)


def test_a_record_that_no_feature_looks_at_need_not_be_there():
    model, (m, _) = measured(ONE), measurements(3, seed=3)
    expected = model.predict(m, TIMES)
    pd.testing.assert_frame_equal(model.predict({"s1": m["s1"]}, {"s1": TIMES["s1"]}), expected)
    assert list(model.example_row({"s1": m["s1"][0]})) == [
        f"{name}.s1" for name in ("time", "real", "imag", "sequence", "guessed")
    ]
    with pytest.raises(DataError, match=r"learnt from \(`s1`\), but has `s2`"):
        model.predict({"s2": m["s2"]}, {"s2": TIMES["s2"]})


def test_a_guess_that_a_model_leans_on_a_little_is_warned_of_with_its_record():
    model, (m, _) = measured(ShapeFeatures(signal="complex", half_width=20)), measurements(1, seed=1)
    guessed = {"s2": Recorded(guessed=("phase", "offset"))}
    (warning,) = model.predict(m, TIMES, recorded=guessed)["warning"]
    assert warning.endswith("phase and offset of `s2` are guesses")


def test_a_request_has_columns_of_each_record(of_w):
    m, _ = measurements(3, seed=3)
    pd.testing.assert_frame_equal(of_w.predict_table(request(m)), of_w.predict(m, TIMES))
    example = of_w.example_row({name: own[0] for name, own in m.items()})
    assert set(of_w.optional_columns) == {"sequence.s1", "guessed.s1", "sequence.s2", "guessed.s2"}
    assert set(example) - set(of_w.optional_columns) == set(request(m))
    assert len(of_w.predict_table(example)) == 1
    with pytest.raises(DataError, match=r"^Row 0: Record `s2`: A curve must have lists of numbers .* 'imag\.s2'"):
        of_w.predict_table(request(m).drop(columns="imag.s2"))
    with pytest.raises(DataError, match=r"^Row 0: Record `s1`: .* said to be of `60x"):
        of_w.predict_table(request(m, **{"sequence.s1": "60x - 20 us - 180y - 40 us"}))
    with pytest.raises(DataError, match="needs the height of the record `s2`, but it is a guess"):
        of_w.predict_table(request(m, **{"guessed.s2": "height"}))


def test_models_of_other_measurements_are_passed_over_where_one_may_answer(of_w, tmp_path):
    other, m = regressor(), echoes(1, seed=4)[0]
    path = tmp_path / "echo.csv"
    write_text_record(path, m[0], step=0.5)
    with pytest.raises(DataError, match=r"\(`s1`, `s2`\), but has the one of a single sequence\."):
        predict_files([path], [of_w, other])
    answer = predict_files([path], [of_w, other], every=False)
    pd.testing.assert_frame_equal(answer, predict_files([path], [other]))
    with pytest.raises(DataError, match=r"\(`s1`, `s2`\), but has the one of a single sequence\."):
        predict_files([path], [of_w], every=False)
    write_text_record(tmp_path / "volts.csv", 3.0 * m[0], step=0.5)
    with pytest.raises(UnmetNeedError, match="needs the height"):
        predict_files([tmp_path / "volts.csv"], [of_w, other], every=False)


def test_a_measurement_may_lie_in_files_of_its_records(of_w, tmp_path):
    m, _ = measurements(1, seed=4)
    files = {}
    for name, own in m.items():
        files[name] = tmp_path / f"{name}.csv"
        write_text_record(files[name], own[0], step=RECORDS[name].step)
    answer, expected = predict_files([files], [of_w]), of_w.predict(m, TIMES)
    assert answer["file"].item() == f"s1={files['s1']} s2={files['s2']}"
    np.testing.assert_allclose(answer["prediction"], expected["prediction"], rtol=1e-5)
    turned = {"s1": files["s2"], "s2": files["s1"]}
    with pytest.raises(
        DataError, match=r"s1\.csv` cannot be read by the model of task `W`: Record `s1`: The curve must"
    ):
        predict_files([turned], [of_w])
    with pytest.raises(DataError, match=r"`s1=.*s1\.csv` cannot be read .* \(`s1`, `s2`\), but has `s1`\."):
        predict_files([{"s1": files["s1"]}], [of_w])
    with pytest.raises(DataError, match=r"but has the one of a single sequence\."):
        predict_files([files["s1"]], [of_w])
    resampled = predict_files([files], [of_w], resample="cubic", scale=1.0, phase=0.0, offset=0.0)
    np.testing.assert_allclose(resampled["prediction"], expected["prediction"], rtol=1e-3)
