"""The deployable model: what it answers, what it refuses, and that it needs nothing but its own files."""

import json
import subprocess
import sys
import zipfile

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.linear_model import LinearRegression

from nmr_platform.checksums import write_checksums
from nmr_platform.datasets import Recorded
from nmr_platform.errors import ConfigurationError, DataError, UnmetNeedError
from nmr_platform.features import ShapeFeatures
from nmr_platform.inference import Predictor
from tests.inference.predictors import ACQUISITION, classifier, echoes, regressor

TIME = ACQUISITION.time


@pytest.fixture(scope="module")
def of_w():
    return regressor()


@pytest.fixture(scope="module")
def of_kernels():
    return classifier()


def request(m, **columns):
    rows = {"time": [TIME.tolist()] * len(m), "real": list(m.real), "imag": list(m.imag)}
    return pd.DataFrame(rows | columns)


def test_a_number_comes_with_its_unit_interval_and_p_value(of_w):
    m, w = echoes(40, seed=1)
    answer = of_w.predict(m, TIME)
    assert list(answer) == ["quantity", "unit", "prediction", "lower", "upper", "level", "p_value", "warning"]
    assert set(answer["quantity"]) == {"W"}
    assert set(answer["unit"]) == {"MHz"}
    assert np.abs(answer["prediction"] - w).max() < 0.03
    # The 90th of 99 residuals in steps of 0.02 / 49 is the quantile at 0.9.
    np.testing.assert_allclose(
        answer["upper"] - answer["lower"], 2 * np.sort(np.abs(np.linspace(-1, 1, 99)))[89] * 0.02
    )
    np.testing.assert_allclose((answer["upper"] + answer["lower"]) / 2, answer["prediction"])
    assert (answer["p_value"] > 0.05).mean() > 0.8


def test_an_interval_as_wide_as_the_prior_s_is_said_to_tell_nothing():
    m, w = echoes(160, seed=0)
    wide = np.linspace(-0.1, 0.1, 160)
    telling, untelling = (regressor(residuals=each, targets=w).predict(m[:2], TIME) for each in (0.2 * wide, wide))
    assert not any("the record does not tell it" in text for text in telling["warning"])
    assert all("the record does not tell it" in text for text in untelling["warning"])
    assert set(untelling["level"]) == {0.9}


def test_a_caller_may_ask_for_another_coverage(of_w):
    m, _ = echoes(1)
    wide, narrow = (of_w.predict(m, TIME, coverage=level) for level in (0.95, 0.5))
    assert (wide["upper"] - wide["lower"] > narrow["upper"] - narrow["lower"]).all()
    with pytest.raises(ConfigurationError, match=r"between 0\.0101 and 0\.9899 with 99 residuals, but"):
        of_w.predict(m, TIME, coverage=0.995)


def test_a_class_comes_with_the_probability_of_every_class_in_the_task_s_order(of_kernels):
    m, w = echoes(40, seed=1)
    answer = of_kernels.predict(m, TIME)
    assert list(answer)[2:5] == ["prediction", "probability_power", "probability_gaussian"]
    np.testing.assert_allclose(answer["probability_power"] + answer["probability_gaussian"], 1.0, atol=1e-6)
    np.testing.assert_array_equal(answer["prediction"] == "gaussian", answer["probability_gaussian"] > 0.5)
    assert np.mean((answer["prediction"] == "gaussian") == (w > 0.2)) > 0.9


def test_a_strange_curve_is_predicted_with_a_warning(of_w):
    m, _ = echoes(1, seed=1)
    turned = of_w.predict(m * 1j, TIME)
    assert turned["p_value"].item() < 0.05
    assert turned["warning"].item().startswith("unlike the training curves (p = 0.0")


def test_a_model_of_frozen_disorder_says_so_each_time():
    answer = regressor(disorder="frozen").predict(echoes(2, seed=1)[0], TIME)
    assert all(text.endswith("learnt from one frozen disorder") for text in answer["warning"])


@pytest.mark.parametrize("made", ["of_w", "of_kernels"])
def test_what_is_read_back_predicts_the_same(made, tmp_path, request):
    predictor, (m, _) = request.getfixturevalue(made), echoes(5, seed=2)
    predictor.save(tmp_path)
    pd.testing.assert_frame_equal(Predictor.load(tmp_path).predict(m, TIME), predictor.predict(m, TIME))
    assert {path.suffix for path in tmp_path.rglob("*") if path.is_file()} == {"", ".json", ".skops"}


def test_another_process_reads_it_without_any_data(of_w, tmp_path):
    m, _ = echoes(1, seed=2)
    of_w.save(tmp_path / "model")
    np.savez(tmp_path / "echo.npz", m=m, time=TIME)
    code = (
        "import sys, numpy as np; from pathlib import Path; from nmr_platform.inference import Predictor\n"
        "echo = np.load('echo.npz'); answer = Predictor.load(Path('model')).predict(echo['m'], echo['time'])\n"
        "assert 'mlflow' not in sys.modules\n"
        "print(answer.to_json(orient='records', double_precision=15))"
    )
    ended = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    (answer,) = json.loads(ended.stdout)
    expected = of_w.predict(m, TIME).iloc[0]
    assert {name: answer[name] for name in ("quantity", "unit", "warning")} == dict(
        expected[["quantity", "unit", "warning"]]
    )
    for name in ("prediction", "lower", "upper", "p_value"):
        assert answer[name] == pytest.approx(expected[name], rel=1e-12)


def test_a_request_is_a_row_a_curve(of_w):
    m, _ = echoes(3, seed=3)
    pd.testing.assert_frame_equal(of_w.predict_table(request(m)), of_w.predict(m, TIME))
    stated = request(m, sequence=["90x - 20 us - 180y - 40 us", None, ""])
    pd.testing.assert_frame_equal(of_w.predict_table(stated, {"coverage": 0.9}), of_w.predict(m, TIME))


def test_its_own_example_is_a_request(of_w):
    m, _ = echoes(1)
    assert len(of_w.predict_table(of_w.example_row(m[0]))) == 1


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda t: t.assign(time=[[2 * x for x in TIME]] * len(t)), r"^Row 0: .* every 0\.5 us.* every 1 us"),
        (lambda t: t.assign(real=t["imag"].map(lambda x: x[:-1])), r"`real` and `imag` must be equally long"),
        (lambda t: t.drop(columns="imag"), r"must have lists of numbers `time` \(us\), `real` and `imag`"),
        (lambda t: t.assign(real="1, 2"), "must have lists of numbers"),
        (lambda t: t.assign(real=[[0.1], [float("nan")] * len(TIME)]), "Row 0: .*equally long"),
        (
            lambda t: t.assign(real=[[float("nan")] * len(TIME)] * 2),
            "Row 0: .* 30 to 49.5 us was not recorded",
        ),
        (lambda t: t.assign(sequence="60x - 20 us - 180y - 40 us"), "learnt from, `90x - 20 us.* said to be of `60x"),
        (lambda t: t.assign(guessed="height"), "^Row 0: .* needs the height of the record, but it is a guess"),
        (lambda t: t.assign(guessed="offset, phase"), "needs the phase and offset of the record"),
        (lambda t: t.assign(guessed="weight"), "`guessed` must name height, phase, offset, but names 'weight'"),
        (lambda t: t.assign(real=[[0.0] * len(TIME)] * 2, imag=[[0.0] * len(TIME)] * 2), "was not recorded"),
        (lambda t: t.iloc[:0], "must have a row for each curve, but has none"),
    ],
)
def test_a_request_that_cannot_be_answered_is_refused_with_a_sentence(of_w, change, sentence):
    with pytest.raises(DataError, match=sentence):
        of_w.predict_table(change(request(echoes(2)[0])))


def test_a_stretch_of_zeros_was_not_recorded_wherever_it_lies(of_w):
    m, _ = echoes(2, seed=3)
    expected = of_w.predict(m, TIME)
    harmless, harmful = m.copy(), m.copy()
    harmless[1, :50], harmless[0, 100:], harmful[1, 80:96] = 0, np.nan, 0
    pd.testing.assert_frame_equal(of_w.predict(harmless, TIME), expected)
    with pytest.raises(UnmetNeedError, match=r"of which 40 to 47\.5 us was not recorded"):
        of_w.predict(harmful, TIME)


def test_what_a_model_leans_on_a_little_is_warned_of_beside_the_number():
    feature_set = ShapeFeatures(signal="complex", half_width=20)
    answer = regressor(feature_set=feature_set).predict(
        echoes(1, seed=1)[0], TIME, recorded=Recorded(guessed=("phase", "offset"))
    )
    assert answer["warning"].item().endswith("phase and offset are guesses")


def test_a_foreign_estimator_is_refused_when_it_is_read(of_w, tmp_path):
    of_w.save(tmp_path)
    record = json.loads((tmp_path / "predictor.json").read_text())
    (tmp_path / "predictor.json").write_text(json.dumps(record | {"estimator": "Ridge.skops"}))
    skops.io.dump(LinearRegression().fit(np.eye(2), [0, 1]), tmp_path / "estimator" / "Ridge.skops")
    write_checksums(tmp_path)
    assert Predictor.load(tmp_path)
    _replace_type(tmp_path / "estimator" / "Ridge.skops")
    write_checksums(tmp_path)
    with pytest.raises(DataError, match=r"must be made of types of .* but holds posix\.system"):
        Predictor.load(tmp_path)


def _replace_type(path):
    """Let a skops file claim that its model is a function of the operating system."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    schema = json.loads(parts["schema.json"])
    schema["__module__"], schema["__class__"] = "posix", "system"
    parts["schema.json"] = json.dumps(schema).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"format_version": 99}, "has format version 99, but this version of nmr_platform reads version 1"),
        ({"estimator": "../../other.skops"}, "is damaged"),
        ({"feature_set": None}, "is damaged"),
        ({"unknown": 1}, "is damaged"),
    ],
)
def test_a_record_that_was_changed_is_refused(of_w, tmp_path, change, sentence):
    of_w.save(tmp_path)
    path = tmp_path / "predictor.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    write_checksums(tmp_path)
    with pytest.raises(DataError, match=rf"predictor\.json` {sentence}"):
        Predictor.load(tmp_path)


def test_a_record_cut_short_is_refused(of_w, tmp_path):
    of_w.save(tmp_path)
    path = tmp_path / "predictor.json"
    path.write_text(path.read_text()[:100])
    write_checksums(tmp_path)
    with pytest.raises(DataError, match=r"predictor\.json` is damaged .*; make it again with `nmr evaluate`"):
        Predictor.load(tmp_path)


@pytest.mark.parametrize("place", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("name", ["predictor.json", "estimator/*.skops", "detector/*.skops"])
def test_one_changed_byte_is_refused_before_anything_is_opened(of_w, tmp_path, monkeypatch, name, place):
    of_w.save(tmp_path)
    path = next(tmp_path.glob(name))
    content = bytearray(path.read_bytes())
    content[int(place * len(content))] ^= 1
    path.write_bytes(content)
    monkeypatch.setattr("nmr_platform.inference.predictor.load_estimator", pytest.fail)
    with pytest.raises(DataError, match=rf"{path.name}` was changed since it was written .*`nmr evaluate`"):
        Predictor.load(tmp_path)


def test_a_missing_file_is_refused(of_w, tmp_path):
    of_w.save(tmp_path)
    next((tmp_path / "detector").iterdir()).unlink()
    with pytest.raises(DataError, match=r"detector/.*\.skops` is missing"):
        Predictor.load(tmp_path)


@pytest.mark.parametrize("content", [None, b"", b"no checksums\n", b"\xff\xfe"])
def test_a_model_without_checksums_is_not_opened(of_w, tmp_path, content):
    of_w.save(tmp_path)
    sums = tmp_path / "SHA256SUMS"
    sums.unlink() if content is None else sums.write_bytes(content)
    with pytest.raises(DataError, match=r"has no readable checksums, .*make it again with `nmr evaluate`"):
        Predictor.load(tmp_path)


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(DataError, match="holds no model of this package; `nmr evaluate` makes one"):
        Predictor.load(tmp_path)
