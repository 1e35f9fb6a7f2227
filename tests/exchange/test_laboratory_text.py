"""Text as laboratories keep it: echoes side by side, magnitudes alone, headers of programs and oscilloscopes."""

import numpy as np
import pytest
import yaml

from nmr_platform.errors import ConfigurationError, DataError
from nmr_platform.exchange import import_file, measured_curve, read_records
from tests.exchange.builders import STEP, quiet_experiment, truth
from tests.exchange.test_delimited import SIGNAL, TIME, N, assert_read, plain, read, table

R, I, M = SIGNAL.real, SIGNAL.imag, np.abs(SIGNAL)  # noqa: E741 as the parts are called
SECONDS = [f"{each:.8e}" for each in 1e-6 * TIME]
ORIGIN = "Time\tReal\tImag\n\\i(t)\t\\i(M)\t\\i(M)\nms\ta.u.\ta.u.\nComments\t\t"
LABVIEW = (
    "LabVIEW Measurement\t\nSeparator\tTab\nDecimal_Separator\t,\nTime\t12:00:01,345\n***End_of_Header***\t\n\t\n"
    "Channels\t2\t\t\nSamples\t24\t24\t\nDelta_X\t5,0E-7\t5,0E-7\t\n***End_of_Header***\t\t\t\n"
)


@pytest.mark.parametrize(
    ("head", "names"),
    [
        ("t,re1,im1,re2,im2", ["1", "2"]),
        ("t (us),re(tau=20us),im(tau=20us),re(tau=40us),im(tau=40us)", ["tau20", "tau40"]),
        ("t,re_1.5,im_1.5,re_3,im_3", ["1.5", "3"]),
        ("t (us),Re tau=20 us,Im tau=20 us,Re tau=40 us,Im tau=40 us", ["tau20", "tau40"]),
        ("t (ms),Re (tau = 0.5 ms),Im (tau = 0.5 ms),Re (τ=1ms),Im (τ=1ms)", ["tau500", "tau1000"]),
        ("t,re_tau2.5,im_tau2.5,re_tau5,im_tau5", ["tau2.5", "tau5"]),
        ("Time_us,CH_A_Real,CH_A_Imag,CH_B_Real,CH_B_Imag", ["CH-A", "CH-B"]),
        ("t,re 4K (V),im 4K (V),re 10K (V),im 10K (V)", ["4K", "10K"]),
        ("t,I1,Q1,I2,Q2", ["1", "2"]),
        ("t,re,im,re,im", ["1", "2"]),
        ("t,re,im,re.1,im.1", ["1", "2"]),
        (",20 us,,40 us,\nt,re,im,re,im", ["20-us", "40-us"]),
        ("tau (us),20,,40,\nt,re,im,re,im", ["tau20", "tau40"]),
        ("t,Re,Im,Re,Im\nms,V,V,V,V\nComments,tau=20us,tau=20us,tau=40us,tau=40us", ["tau20", "tau40"]),
        ("# t re_a im_a re_b im_b", ["a", "b"]),
    ],
)
def test_echoes_side_by_side_are_called_what_their_names_say(tmp_path, head, names):
    text = table(TIME, R, I, R / 2, I / 2, head=head)
    for place, name in enumerate(names):
        record = read(tmp_path, text, index=place)
        assert record.details["trace"] == name
        np.testing.assert_allclose(record.signal, SIGNAL / (place + 1), atol=2e-6)
    with pytest.raises(DataError, match=f"holds the echoes {', '.join(names)}; say by `--index` which one, from 0"):
        read(tmp_path, text)
    with pytest.raises(DataError, match=r"`index` must be from 0 to 1, .* but is 2"):
        read(tmp_path, text, index=2)
    assert_read(read(tmp_path, text, columns="1,2,3"), TIME[1] if "ms" not in head else 500.0)


def test_echoes_at_values_of_tau_are_a_measurement(tmp_path):
    time = STEP * np.arange(180)
    echoes = [1 / tau / (1 + ((time - 2 * tau) / 3) ** 2) for tau in (12, 15)]
    head = "t (us),Re tau=12us,Im tau=12us,Re tau=15us,Im tau=15us"
    columns = [part for echo in echoes for part in (echo, 0 * echo)]
    (tmp_path / "echo.csv").write_text(table(time, *columns, head=head))
    (tmp_path / "hahn.yaml").write_text(yaml.safe_dump(quiet_experiment().model_dump(mode="json")))
    made = import_file(tmp_path / "echo.csv", tmp_path / "set.zarr", experiment=tmp_path / "hahn.yaml")
    assert {name: echo.time for name, echo in made.echoes.items()} == {"tau12": 24.0, "tau15": 30.0}
    assert made.echoes["tau15"].height == pytest.approx(0.5 * 12 / 15, rel=1e-4)
    assert read_records(tmp_path / "echo.csv", columns="1,4,5").keys() == {""}
    (tmp_path / "echo.csv").write_text(table(time, *columns, head="t (min),re 4K,im 4K,re 9K,im 9K"))
    assert [*read_records(tmp_path / "echo.csv", unit="us")] == ["4K", "9K"]
    with pytest.raises(ConfigurationError, match="`--sweep` must be left out where `--columns` chooses one record"):
        read_records(tmp_path / "echo.csv", columns="1,4,5", sweep="tau=1,2")


def test_parts_that_belong_together_need_not_stand_together(tmp_path):
    text = table(TIME, R, R / 2, I, I / 2, head="t,re1,re2,im1,im2")
    np.testing.assert_allclose(read(tmp_path, text, index=1).signal, SIGNAL / 2, atol=2e-6)


def test_magnitudes_and_phases_may_be_several_too(tmp_path):
    degrees = np.rad2deg(np.angle(SIGNAL))
    text = table(TIME, M, degrees, M / 2, degrees, head="t,mag1,phase1 (deg),mag2,phase2 (deg)")
    np.testing.assert_allclose(read(tmp_path, text, index=1).signal, SIGNAL / 2, atol=2e-6)


def test_every_echo_may_have_times_of_its_own(tmp_path):
    text = table(TIME, R, I, 2 * TIME + 3, R / 2, I / 2, head="t1 (us),re1,im1,t2 (us),re2,im2")
    first, second = read(tmp_path, text, index=0), read(tmp_path, text, index=1)
    assert (first.start, first.dwell, second.start, second.dwell) == pytest.approx((0, 0.5, 3, 1))


@pytest.mark.parametrize(
    ("head", "sentence"),
    [
        ("t,re1,im1,re2,im3", r"have 2 real parts and 2 imaginary parts; say which columns"),
        ("t,re,im1,re,im2", r"have 2 real parts and 2 imaginary parts"),
        ("t,re1,re2,re3,im1", r"have 3 real parts; say which columns"),
        ("t,re1,im1,time,re2", r"have 2 real parts; say which columns"),
        ("t,re,time,im,x", r"have 2 times, which differ; say which columns"),
        ("t,20us,40us,60us,80us", r"have no real part and no imaginary part; say which .*`--columns 1,2`"),
        ("t,mag1,phase1 (deg),mag2,mag3", r"have 3 magnitudes; say which columns"),
    ],
)
def test_names_that_do_not_say_what_belongs_together_are_refused(tmp_path, head, sentence):
    with pytest.raises(DataError, match=sentence):
        read(tmp_path, table(TIME, R, I, R / 2, I / 2, head=head))


@pytest.mark.parametrize("names", ["time_us,magnitude", "Zeit (µs),Betrag", "t,|M|", "t,Abs (V)", "t,amp"])
def test_a_magnitude_alone_is_kept_as_one(tmp_path, names):
    record = read(tmp_path, table(TIME, M, head=names))
    assert not record.has_phase
    np.testing.assert_allclose(record.signal, M, atol=1e-6)


def test_columns_say_what_a_magnitude_is(tmp_path):
    text = table(TIME, M)
    with pytest.raises(
        DataError, match=r"has 2 columns without names; say which .*, or time and magnitude, `--columns 1"
    ):
        read(tmp_path, text)
    assert not read(tmp_path, text, columns="1,2").has_phase
    with pytest.raises(
        DataError, match=r"line 1: column 2 is -.*, but a magnitude is never negative; say which columns"
    ):
        read(tmp_path, table(TIME, -M), columns="1,2")
    with pytest.raises(DataError, match=r"magnitude in dB, but it must be linear"):
        read(tmp_path, table(TIME, M, head="t,CH1 (dB)"), columns="1,2")


def test_several_magnitudes_are_several_records(tmp_path):
    record = read(tmp_path, table(TIME, M, M / 2, head="t,abs tau=20us,abs tau=40us"), index=1)
    assert (record.details["trace"], record.has_phase) == ("tau40", False)


def test_what_a_magnitude_cannot_tell_is_no_option(tmp_path):
    time = STEP * np.arange(len(truth()))
    record, experiment = read(tmp_path, table(time, np.abs(truth()), head="t,magnitude")), quiet_experiment()
    for name, value in {"phase": 10.0, "offset": 0.1, "conjugate": True}.items():
        with pytest.raises(ConfigurationError, match=rf"`--{name}` has no meaning for .* magnitudes alone; leave it"):
            measured_curve(record, experiment, **{name: value})
    curve = measured_curve(record, experiment)
    assert curve.attrs["magnitude_only"] is True
    assert curve.attrs["phase_estimated"] is True
    scale = 0.5 / np.abs(truth()[100:140]).max()
    np.testing.assert_allclose(np.abs(curve["m"][0]), scale * np.abs(truth()), atol=1e-5)


@pytest.mark.parametrize(
    ("text", "dwell"),
    [
        (table(TIME, R, I, separator="\t", head=ORIGIN), 500.0),
        (table(TIME, R, I, separator="\t", head="Time\tReal\tImag\nms\tV\tV\n\tsample 3\tsample 3"), 500.0),
        (table(TIME, R, I, head="ms,V,V\nTime,Real,Imag"), 500.0),
        (plain("Zeit (ms);Realteil;Imaginärteil;", separator=";", decimal=",", end=";\r\n"), 500.0),
        (
            table(
                SECONDS, R, I, separator="\t", decimal=",", head=f"{LABVIEW}Time (s)\tReal\tImag\tComment", end="\t\n"
            ),
            0.5,
        ),
        (table(TIME, R, I, head="Time,I,Q\n(us),(V),(V)\n"), 0.5),
        (table(SECONDS, R, I, head="x-axis,Re,Im\nsecond,Volt,Volt"), 0.5),
        (table(TIME, R, I, separator=" ", form="%.6e").replace("e-", "D-").replace("e+", "D+"), 0.5),
        (table(TIME, R, I).replace("-", "\N{MINUS SIGN}"), 0.5),
        (table(TIME, R, I, separator="\N{NO-BREAK SPACE}"), 0.5),
    ],
)
def test_headers_and_digits_of_programs_are_read(tmp_path, text, dwell):
    assert_read(read(tmp_path, text), dwell)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (table(TIME, R, I, separator="\t", head="Time\tRe\tIm\nms\tV/√Hz\tV/√Hz"), "line 2 .* have no real part and"),
        (
            table(TIME, R, I, head="X,CH1,CH2,Start,Increment\nSequence,Volt,Volt,0.0,5.0e-07", end=",,\n"),
            "have no time",
        ),
        (
            plain("Sequence,Volt,Volt,0.0,5.0e-07"),
            r"line 1 names 5 columns, but there are 3; mend it, or begin it with #",
        ),
        (table(SECONDS, R, head="LECROYWS424,13837,Waveform\nTime,Ampl"), r"no real part and .*`--columns 1,2,3`"),
        (
            table(SECONDS, R, I, separator="\t", head=f"{LABVIEW}X_Value\tReal\tImag\tComment", end="\t\n"),
            "have no time",
        ),
        (
            table(TIME, [f"{r:.3f}{i:+.3f}j" for r, i in zip(R, I, strict=True)], head="t,s"),
            r"line 2: `.*j` is a complex n",
        ),
        (
            table(TIME, [f"({r:.3f}{i:+.3f}i)" for r, i in zip(R, I, strict=True)]),
            r"line 1: `\(.*i\)` is a complex number",
        ),
    ],
)
def test_headers_that_do_not_tell_are_refused(tmp_path, text, sentence):
    with pytest.raises(DataError, match=sentence):
        read(tmp_path, text)


def test_times_without_unit_that_no_receiver_could_keep_are_refused(tmp_path):
    text = table(SECONDS, R, I, head="Waveform Type,ANALOG\nHorizontal Units,s\n\nTIME,CH1,CH2")
    with pytest.raises(DataError, match=r"has times that step by 5e-07 and no unit: say by `--unit` whether"):
        read(tmp_path, text, columns="1,2,3")
    assert_read(read(tmp_path, text, columns="1,2,3", unit="s"))


def test_channels_chosen_by_number_must_have_one_unit(tmp_path):
    text = table(TIME, R, I, head="Time,Channel A,Channel B\n(us),(V),(mV)")
    with pytest.raises(DataError, match=r"give real and imaginary part different units"):
        read(tmp_path, text, columns="1,2,3")


@pytest.mark.parametrize("first", [-3.0, 15.2, -0.25])
def test_times_may_begin_anywhere(tmp_path, first):
    record = read(tmp_path, table(TIME + first, R, I, head="t,re,im"))
    assert (record.start, len(record.signal)) == (pytest.approx(first), N)
