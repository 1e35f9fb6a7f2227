"""From files to answers: every format that can be imported, through the one table of formats."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import yaml

from nmr_platform.datasets import Recorded, publish
from nmr_platform.errors import ConfigurationError, DataError, UnmetNeedError
from nmr_platform.exchange import FORMATS, export_dataset, import_file, measured_curve, read_file
from nmr_platform.features import ShapeFeatures
from nmr_platform.inference.prediction import load_models, predict_files
from tests.exchange.builders import make_dataset
from tests.exchange.instrument_files import write_bruker, write_echo, write_text_record
from tests.inference.predictors import ACQUISITION, classifier, echoes, regressor, shapes

TIME, STEP = ACQUISITION.time, ACQUISITION.step


@pytest.fixture(scope="module")
def of_w():
    return regressor()


@pytest.fixture(scope="module")
def curves(tmp_path_factory):
    """Simulated curves of the sequence that the predictor knows, each of other couplings."""
    experiment = ACQUISITION.experiment.model_dump(mode="json")
    return make_dataset(
        tmp_path_factory.mktemp("curves"),
        n_curves=3,
        experiment={
            "lattice": experiment["lattice"],
            "kernel": {"kind": "gaussian"},
            "line": experiment["line"],
            "sequence": {"kind": "hahn", "tau": 20.0},
            "step": STEP,
        },
    ).load()


@pytest.fixture
def echo():
    return echoes(1, seed=4)[0][0]


MEASURED = [name for name, each in FORMATS.items() if each.measured]
OF_CURVES = [name for name, each in FORMATS.items() if not each.measured]


@pytest.mark.parametrize("name", OF_CURVES)
def test_curves_of_every_format_get_the_answers_of_their_records(of_w, curves, tmp_path, name):
    path = tmp_path / f"set{''.join(FORMATS[name].suffixes[:1])}"
    if FORMATS[name].write is None:
        publish(curves.copy(), path)
    else:
        export_dataset(curves, path, format=name)
    answers = predict_files([path], [of_w])
    assert list(answers["curve"]) == [0, 1, 2]
    expected = of_w.predict(curves["m"].to_numpy(), TIME)
    pd.testing.assert_frame_equal(answers[list(expected)], expected)


@pytest.mark.parametrize("name", MEASURED)
def test_a_measured_echo_of_every_format_gets_the_answer_of_its_record(of_w, echo, tmp_path, name):
    path, expected = write_echo(name, tmp_path, 8.0 * echo, step=STEP), of_w.predict(echo[None], TIME)
    if name == "record":
        answer = predict_files([path], [of_w], scale=0.125)
    else:
        # An instrument knows neither phase nor frequency of the simulation's frame.
        with pytest.raises(UnmetNeedError, match="needs the phase and offset of the record, but they are guesses"):
            predict_files([path], [of_w], scale=0.125)
        answer = predict_files([path], [of_w], scale=0.125, resample="cubic", phase=0.0, offset=0.0)
    for column in ("prediction", "lower", "upper", "p_value"):
        np.testing.assert_allclose(answer[column], expected[column], rtol=1e-5)


@pytest.mark.parametrize("name", MEASURED)
def test_a_measured_echo_of_every_format_is_corrected_and_resampled_alike(of_w, echo, tmp_path, name):
    fine = np.arange(0.0, TIME[-1] + 0.05, 0.1)
    finer = np.interp(fine, TIME, echo.real) + 1j * np.interp(fine, TIME, echo.imag)
    path = write_echo(name, tmp_path, finer * np.exp(0.7j), step=0.1)
    with pytest.raises(DataError, match=r"cannot be read by the model of task `W`: .* every 0\.5 us"):
        predict_files([path], [of_w])
    given = {"resample": "cubic", "phase": np.rad2deg(0.7), "offset": 0.0, "scale": 1.0}
    answer = predict_files([path], [of_w], **given)
    expected = of_w.predict(echo[None], TIME)
    np.testing.assert_allclose(answer["prediction"], expected["prediction"], atol=2e-3)
    with pytest.raises(UnmetNeedError, match="needs the height, phase and offset of the record, but they are guesses"):
        predict_files([path], [of_w], resample="cubic")


@pytest.mark.parametrize("name", OF_CURVES)
def test_a_guess_stays_a_guess_in_every_format_that_keeps_data_sets(of_w, echo, tmp_path, name):
    """Height, phase and frequency that were read off an echo, and times that were filled with zeros."""
    record = read_file(write_echo("record", tmp_path, echo[60:], step=STEP))
    late = measured_curve(replace(record, start=60 * STEP), ACQUISITION.experiment, outside="zero")
    path = tmp_path / f"set{''.join(FORMATS[name].suffixes[:1])}"
    if name == "text":
        pytest.skip("a text directory has no place for a measured echo")
    if FORMATS[name].write is None:
        publish(late.copy(), path)
    else:
        export_dataset(late, path, format=name)
    with pytest.raises(UnmetNeedError, match=r"`W`: .*needs the height, phase and offset .*, but they are guesses"):
        predict_files([path], [of_w])
    known = Recorded.of_attributes(read_file(path).attrs)
    assert (known.guessed, known.start) == (("height", "phase", "offset"), 60 * STEP)
    answer = predict_files([path], [shapes()])
    np.testing.assert_allclose(answer["prediction"], shapes().predict(echo[None], TIME)["prediction"], rtol=1e-4)
    with pytest.raises(UnmetNeedError, match=r"from 0 to 59\.5 us, of which 0 to 29\.5 us was not recorded"):
        predict_files([path], [shapes(window="record", half_width=150)])


@pytest.mark.parametrize("resample", [None, "cubic"])
def test_magnitudes_alone_are_read_by_models_of_magnitudes(of_w, echo, tmp_path, resample):
    np.savetxt(tmp_path / "echo.csv", np.column_stack([TIME, np.abs(echo)]), header="t |M|")
    import_file(tmp_path / "echo.csv", tmp_path / "set.zarr", experiment=written(tmp_path / "hahn.yaml"))
    curvy = regressor(feature_set=ShapeFeatures(signal="complex", half_width=20))
    for path, given in ((tmp_path / "echo.csv", {"resample": resample}), (tmp_path / "set.zarr", {})):
        answer = predict_files([path], [shapes()], **given)
        np.testing.assert_allclose(answer["prediction"], shapes().predict(echo[None], TIME)["prediction"], rtol=1e-4)
        for model in (of_w, curvy):
            with pytest.raises(
                UnmetNeedError, match=r"looks at the phase of M, but magnitudes are all that there is: on"
            ):
                predict_files([path], [model], **given)


def written(path):
    """The experiment of the models, as a file."""
    path.write_text(yaml.safe_dump(ACQUISITION.experiment.model_dump(mode="json")))
    return path


@pytest.mark.parametrize(
    ("kept", "lost"), [(slice(65, None), "30 to 32 us"), (slice(0, 95), "47.5 to 49.5 us"), (slice(0, 60), "30 to")]
)
def test_a_part_of_a_record_is_read_by_models_that_do_not_need_the_rest(of_w, echo, tmp_path, kept, lost):
    np.savetxt(tmp_path / "part.csv", np.column_stack([TIME, echo.real, echo.imag])[kept], delimiter=",")
    sentence = f"part.csv` cannot be read by the model of task `W`: .* of which {lost}.* was not recorded: only a model"
    with pytest.raises(UnmetNeedError, match=sentence):
        predict_files([tmp_path / "part.csv"], [of_w])
    with pytest.raises(UnmetNeedError, match=lost):
        predict_files([tmp_path / "part.csv"], [of_w], resample="cubic", scale=1.0, phase=0.0, offset=0.0)
    np.savetxt(tmp_path / "enough.csv", np.column_stack([TIME, echo.real, echo.imag])[58:102], delimiter=",")
    answer = predict_files([tmp_path / "enough.csv"], [of_w])
    np.testing.assert_allclose(answer["prediction"], of_w.predict(echo[None], TIME)["prediction"], rtol=1e-5)


@pytest.mark.parametrize("resample", [None, "cubic"])
def test_a_gap_of_zeros_inside_a_record_was_not_recorded(of_w, echo, tmp_path, resample):
    options = {} if resample is None else {"resample": resample, "scale": 1.0, "phase": 0.0, "offset": 0.0}
    for name, gap in (("harmless", slice(20, 50)), ("harmful", slice(70, 87))):
        broken = np.where(np.isin(np.arange(len(echo)), np.arange(gap.start, gap.stop)), 0, echo)
        write_text_record(tmp_path / f"{name}.csv", broken, step=STEP)
    answer = predict_files([tmp_path / "harmless.csv"], [of_w], **options)
    np.testing.assert_allclose(answer["prediction"], of_w.predict(echo[None], TIME)["prediction"], rtol=1e-3)
    with pytest.raises(UnmetNeedError, match=r"of which 35 to 43 us was not recorded"):
        predict_files([tmp_path / "harmful.csv"], [of_w], **options)


def test_a_record_whose_numbers_cannot_be_magnetisation_needs_its_scale(of_w, echo, tmp_path):
    write_text_record(tmp_path / "volts.csv", 3.0 * echo, step=STEP)
    with pytest.raises(UnmetNeedError, match="needs the height of the record, but it is a guess: give `--scale`"):
        predict_files([tmp_path / "volts.csv"], [of_w])


def test_a_record_of_too_few_points_is_refused_however_it_is_resampled(of_w, tmp_path):
    """The line of the model is 0.2 MHz wide: a point every 5 us is needed."""
    time = 2.0 * np.arange(31)
    m = 0.4 * np.exp(-(((time - 40.0) / 8.0) ** 2))
    np.savetxt(tmp_path / "slow.csv", np.column_stack([time, m, 0.0 * time]), delimiter=",")
    given = {"scale": 1.0, "phase": 0.0, "offset": 0.0}
    assert len(predict_files([tmp_path / "slow.csv"], [of_w], resample="cubic", **given)) == 1
    slower = replace(read_file(tmp_path / "slow.csv"), dwell=6.0)
    publish(measured_curve(slower, ACQUISITION.experiment, **given), tmp_path / "slow.zarr")
    with pytest.raises(UnmetNeedError, match="needs a point every 5 us or more often, but the record has one every 6"):
        predict_files([tmp_path / "slow.zarr"], [of_w])


def test_an_instrument_that_does_not_say_when_it_began_must_have_recorded_all(of_w, echo, tmp_path):
    path = write_echo("tecmag", tmp_path, echo[50:], step=STEP)
    with pytest.raises(DataError, match="must have 120 samples"):
        predict_files([path], [shapes()])
    assert len(predict_files([path], [shapes()], start=50 * STEP)) == 1


def test_a_spectrometer_that_turns_the_other_way_is_conjugated_before_it_is_read(of_w, echo, tmp_path):
    write_text_record(tmp_path / "echo.csv", echo.conj(), step=STEP)
    answer = predict_files([tmp_path / "echo.csv"], [of_w], conjugate=True)
    np.testing.assert_allclose(answer["prediction"], of_w.predict(echo[None], TIME)["prediction"], rtol=1e-6)


def test_records_of_a_sweep_are_called_by_its_values(of_w, echo, tmp_path):
    write_bruker(tmp_path / "7", np.array([echo, echo]), isfloat=True, step=STEP)
    with pytest.raises(DataError, match="but has `tau10`, `tau20`"):
        predict_files([tmp_path / "7"], [of_w], sweep="tau=10,20")
    given = {"scale": 1.0, "resample": "cubic", "phase": 0.0, "offset": 0.0}
    answer = predict_files([tmp_path / "7"], [of_w], index=1, **given)
    np.testing.assert_allclose(answer["prediction"], of_w.predict(echo[None], TIME)["prediction"], rtol=1e-5)


def test_files_of_several_formats_take_the_options_of_each(of_w, echo, curves, tmp_path):
    write_text_record(tmp_path / "echo.csv", echo, factor=1e-3, step=STEP)
    export_dataset(curves, tmp_path / "set.h5", format="hdf5")
    answers = predict_files([tmp_path / "echo.csv", tmp_path / "set.h5"], [of_w, classifier()], unit="ms", coverage=0.5)
    assert list(answers["task"]) == ["W", "kernel", *["W"] * 3, *["kernel"] * 3]
    with pytest.raises(ConfigurationError, match="Option `--kernel` has no meaning for format record, hdf5"):
        predict_files([tmp_path / "echo.csv", tmp_path / "set.h5"], [of_w], kernel="rkky")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"unit": "ms"}, "Option `--unit` has no meaning for format hdf5"),
        ({"resample": "cubic"}, "Option `--resample` has no meaning for format hdf5"),
        ({"scale": 2.0}, "Option `--scale` has no meaning for format hdf5"),
    ],
)
def test_an_option_that_no_file_takes_is_refused(of_w, curves, tmp_path, options, sentence):
    export_dataset(curves, tmp_path / "set.h5", format="hdf5")
    with pytest.raises(ConfigurationError, match=sentence):
        predict_files([tmp_path / "set.h5"], [of_w], **options)


@pytest.mark.parametrize("option", ["phase", "offset", "outside"])
def test_corrections_that_need_the_sequence_need_resampling(of_w, echo, tmp_path, option):
    write_text_record(tmp_path / "echo.csv", echo, step=STEP)
    with pytest.raises(ConfigurationError, match=f"Option `--{option}` has no meaning without `--resample`"):
        predict_files([tmp_path / "echo.csv"], [of_w], **{option: "zero" if option == "outside" else 1.0})


def test_a_model_is_found_in_a_folder_without_any_registry(of_w, echo, tmp_path):
    of_w.save(tmp_path / "model")
    write_text_record(tmp_path / "echo.csv", echo, step=STEP)
    (model,) = load_models([str(tmp_path / "model")], tmp_path)
    assert len(predict_files([tmp_path / "echo.csv"], [model], format="record")) == 1


def test_the_face_of_inference_waits_neither_for_libraries_of_models_nor_for_the_readers_of_instruments():
    code = (
        "import sys, nmr_platform.inference\n"
        "print(sorted({'mapie', 'mlflow', 'shap', 'skops', 'xgboost', 'nmr_platform.exchange'} & set(sys.modules)))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "[]"
