"""Files of several records: a delay list makes a measurement of them, and its decay is drawn."""

import json

import numpy as np
import pytest
import yaml

from nmr_platform.cli.app import main
from nmr_platform.datasets import load, load_records, verify
from nmr_platform.errors import ConfigurationError, DataError
from nmr_platform.exchange import import_file, read_bruker, read_records, read_tecmag
from nmr_platform.simulation import simulate
from tests.exchange.builders import STEP, quiet_experiment
from tests.exchange.instrument_files import change_acqus, tecmag_sequence, write_bruker, write_tecmag

TAUS = (10.0, 15.0, 20.0)
HEIGHTS = (1.0, 0.6, 0.3)
LONG = 256
PROGRAM = """; an echo
1 ze
2 d1
  (p1 ph1):f1
  vd
  p2 ph2
  d6
  go=2 ph31
ph1=0 2
ph2=(8) 2 2 6 6
    0 1
ph31=0 2 ;receiver
"""


def swept(tau, *, phase=40.0):
    """An uncoupled echo at ``tau`` as an instrument has it, turned, in its own unit."""
    experiment = quiet_experiment().replace(sequence=quiet_experiment().sequence.replace(tau=tau))
    offsets = experiment.line.draw(experiment.lattice.size, np.random.default_rng(3)).offsets
    m = simulate(experiment, offsets=offsets.reshape(experiment.lattice.shape), dtype="float64").m
    return np.pad(m, (0, LONG - len(m))) * np.exp(1j * np.deg2rad(phase))


@pytest.fixture(scope="module")
def block():
    """Three records whose echoes decay as told, shape (3, T)."""
    return np.array([2e5 * height * swept(tau) for tau, height in zip(TAUS, HEIGHTS, strict=True)])


@pytest.fixture
def sequence(tmp_path):
    return experiment_file(tmp_path, "hahn.yaml")


def experiment_file(folder, name, **changes):
    values = quiet_experiment().model_dump(mode="json") | changes
    (folder / name).write_text(yaml.safe_dump({key: value for key, value in values.items() if value is not None}))
    return folder / name


def with_list(folder, block, name="vdlist", entries="10u 15u\n20u\n0.5", **options):
    write_bruker(folder, block, **options)
    (folder / name).write_text(entries)
    return folder


def run(*arguments):
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    return ended.value.code


def assert_decays(path):
    """The data set is the measurement, with one phase and one scale for all records."""
    records = load_records(path)
    assert list(records) == ["tau10", "tau15", "tau20"]
    assert verify_chunks(path)
    for (name, dataset), tau, height in zip(records.items(), TAUS, HEIGHTS, strict=True):
        assert dataset.sizes["time"] == 3 * tau / STEP
        assert json.loads(dataset.attrs["experiment"])["sequence"]["tau"] == tau
        assert float(abs(dataset["m"][0, dataset.attrs["echo_index"]])) == pytest.approx(height / 2, rel=5e-3), name
        assert dataset.attrs["phase"] == records["tau10"].attrs["phase"]
        assert dataset.attrs["scale_estimated"] is True
    assert len({dataset.attrs["digest"] for dataset in records.values()}) == 3


def verify_chunks(path):
    """Imported data sets have no recipe; their chunks have checksums."""
    try:
        verify(path)
    except DataError as error:
        return "has no recipe" in str(error)
    return True


def test_a_delay_list_makes_a_measurement_of_a_ser_file(tmp_path, block, sequence):
    made = import_file(with_list(tmp_path / "7", block), tmp_path / "set.zarr", experiment=sequence)
    assert_decays(tmp_path / "set.zarr")
    assert list(made.echoes) == ["tau10", "tau15", "tau20"]
    assert [echo.time for echo in made.echoes.values()] == [20.0, 30.0, 40.0]
    assert "|M| at the echoes: 0.5000 at 20 us, 0.3" in str(made)


def test_a_table_of_delays_makes_a_measurement_of_a_tecmag_file(tmp_path, block, sequence):
    tables = {"de0:2": "10u\r\n15u\r\n20u\r\n", "de1:2": "1m 2m 3m", "ph0": "0 2 1 3"}
    variables = {"P90": "2.5u", "tau": ".2m", "unused": "1s", "amp": "95"}
    uses = ["=P90", "ph0", "de0:2", "=amp", "=tau"]
    write_tecmag(tmp_path / "echo.tnt", block, sequence=tecmag_sequence(tables, variables, uses))
    made = import_file(tmp_path / "echo.tnt", tmp_path / "set.zarr", experiment=sequence)
    assert_decays(tmp_path / "set.zarr")
    assert made.told.times == {"P90": 2.5, "tau": 200.0}
    assert made.told.phases == {"ph0": (0.0, 180.0, 90.0, 270.0)}
    assert (made.told.frequency, made.told.field, made.told.scans) == (60.1, 9.4, 64)


def test_a_sweep_that_was_stopped_has_the_records_that_it_has(tmp_path, block, sequence):
    table = tecmag_sequence({"de0:2": "10u 15u 20u 40u 80u"}, {}, ["de0:2"])
    write_tecmag(tmp_path / "echo.tnt", block, planned=5, sequence=table)
    assert list(read_records(tmp_path / "echo.tnt")) == ["tau10", "tau15", "tau20"]
    folder = with_list(tmp_path / "7", np.vstack([block, np.zeros((2, LONG))]), entries="10u 15u 20u 40u 80u")
    assert list(read_records(folder)) == ["tau10", "tau15", "tau20"]
    import_file(folder, tmp_path / "set.zarr", experiment=sequence)
    assert_decays(tmp_path / "set.zarr")


def test_a_record_tells_its_own_delay_and_can_be_chosen(tmp_path, block):
    folder = with_list(tmp_path / "7", block)
    assert read_bruker(folder, index=1).told.swept == {"tau": 15.0}
    assert list(read_records(folder, index=1)) == [""]


@pytest.mark.parametrize(
    ("name", "entries", "names"),
    [
        ("vdlist", "1m\n2m\n.003", ["tau1000", "tau2000", "tau3000"]),
        ("vdlist", "100n 1us 2e-6s", ["tau0.1", "tau1", "tau2"]),
        ("vplist", "2.5 5u 7.5", ["pulse2.5", "pulse5", "pulse7.5"]),
        ("vclist", "2\n4\n8\n16", ["loop2", "loop4", "loop8"]),
    ],
)
def test_lists_have_units_of_their_own(tmp_path, block, name, entries, names):
    assert list(read_records(with_list(tmp_path / "7", block, name, entries))) == names


def test_of_several_lists_the_one_counts_that_the_pulse_program_uses(tmp_path, block):
    folder = with_list(tmp_path / "7", block)
    (folder / "vclist").write_text("2 4 8")
    assert list(read_records(folder)) == ["0", "1", "2"]
    (folder / "pulseprogram").write_text(PROGRAM)
    assert list(read_records(folder)) == ["tau10", "tau15", "tau20"]


def test_what_acqus_and_the_pulse_program_say_is_told(tmp_path, block):
    write_bruker(tmp_path / "7", block[0])
    change_acqus(
        tmp_path / "7",
        P="(0..3)\n1 2.5 5\n0",
        D="(0..7)\n0 2 0 0 0 0 1e-05 0",
        NS=64,
        SFO1=60.1,
        PULPROG="<hahn>",
    )
    (tmp_path / "7" / "pulseprogram").write_text(PROGRAM)
    told = read_bruker(tmp_path / "7").told
    assert (told.nucleus, told.frequency, told.scans, told.sequence) == ("139La", 60.1, 64, "hahn")
    assert told.dwell == pytest.approx(STEP)
    assert told.times == pytest.approx({"p1": 2.5, "d1": 2e6, "p2": 5.0, "d6": 10.0})
    assert told.phases == {"ph1": (0, 180), "ph2": (90, 90, 270, 270, 0, 45), "ph31": (0, 180)}
    assert str(told) == (
        "nucleus 139La, frequency 60.1 MHz, dwell 0.25 us, scans 64, sequence hahn, d1 2 s, p1 2.5 us, p2 5 us, "
        "d6 10 us, ph1 0 180 degrees, ph2 90 90 270 270 0 45 degrees, ph31 0 180 degrees"
    )


def test_sequences_may_be_given_one_for_each_record(tmp_path, block):
    write_bruker(tmp_path / "7", block)
    hahns = {f"s{tau:g}": {"kind": "hahn", "tau": tau} for tau in TAUS}
    several = experiment_file(tmp_path, "several.yaml", sequence=None, sequences=hahns)
    import_file(tmp_path / "7", tmp_path / "set.zarr", experiment=several)
    assert list(load_records(tmp_path / "set.zarr")) == ["s10", "s15", "s20"]
    whole = json.loads(load(tmp_path / "set.zarr", "s10").attrs["whole_experiment"])
    assert list(whole["sequences"]) == ["s10", "s15", "s20"]
    hahns.popitem()
    two = experiment_file(tmp_path, "two.yaml", sequence=None, sequences=hahns)
    with pytest.raises(DataError, match=r"7` holds 3 records, but `--experiment` has the sequences s10, s15\."):
        import_file(tmp_path / "7", tmp_path / "set.zarr", experiment=two)


def test_what_a_file_does_not_say_is_asked_for_and_can_be_said(tmp_path, block, sequence):
    write_bruker(tmp_path / "7", block)
    with pytest.raises(DataError, match=r"does not say what tells them apart: `--sweep tau=20,40,80` does \(us\), and"):
        import_file(tmp_path / "7", tmp_path / "set.zarr", experiment=sequence)
    import_file(tmp_path / "7", tmp_path / "set.zarr", experiment=sequence, sweep="tau=10,15,20")
    assert_decays(tmp_path / "set.zarr")
    folder = with_list(tmp_path / "8", block, "vplist", "2 4 6")
    with pytest.raises(ConfigurationError, match=r"differ by `pulse`, which is no key of a sequence of kind hahn: say"):
        import_file(folder, tmp_path / "set.zarr", experiment=sequence)
    given = {"experiment": sequence, "sweep": "theta2=180,120,90", "outside": "zero"}
    import_file(folder, tmp_path / "other.zarr", **given)
    assert list(load_records(tmp_path / "other.zarr")) == ["theta2_180", "theta2_120", "theta2_90"]


@pytest.mark.parametrize(
    ("options", "error", "sentence"),
    [
        ({"sweep": "tau=1,2"}, DataError, r"`--sweep` must have a value for each of the 3 records of `.*7`, but has 2"),
        ({"sweep": "tau=1,x"}, ConfigurationError, r"`--sweep` must be a key and numbers, such as tau=20,40,80, but"),
        ({"sweep": "tau=1,1,2"}, DataError, r"two are called `tau1`\. `--index` chooses one"),
        ({"sweep": "tau", "index": 0}, ConfigurationError, r"`--sweep` must be left out where `--index` chooses one"),
    ],
)
def test_a_sweep_that_does_not_fit_is_refused(tmp_path, block, options, error, sentence):
    with pytest.raises(error, match=sentence):
        read_records(with_list(tmp_path / "7", block), **options)


@pytest.mark.parametrize(
    ("entries", "sentence"),
    [
        ("10u 20u", r"vdlist` has 2 entries, but there are 3 records"),
        ("10u twenty 30u", r"vdlist` must have numbers with or without a unit, such as 20u, but has `twenty`"),
        ("10u 20u 20u", r"two are called `tau20`"),
    ],
)
def test_a_list_that_does_not_fit_is_refused(tmp_path, block, entries, sentence):
    with pytest.raises(DataError, match=sentence):
        read_records(with_list(tmp_path / "7", block, entries=entries))


@pytest.mark.parametrize(("since", "start"), [("last", 2.0), ("echo", -5.0)])
def test_times_may_be_counted_from_the_last_pulse_or_the_echo(tmp_path, block, sequence, since, start):
    # The receiver opens so long after the second pulse, or before the echo: the time after the first one differs.
    opened = [round((start + (tau if since == "last" else 2 * tau)) / STEP) for tau in TAUS]
    late = [row[first : first + 80] for row, first in zip(block, opened, strict=True)]
    write_bruker(tmp_path / "7", np.array(late))
    options = {"experiment": sequence, "sweep": "tau=10,15,20", "outside": "zero", "start": start}
    made = import_file(tmp_path / "7", tmp_path / "set.zarr", since=since, **options)
    assert [echo.height for echo in made.echoes.values()] == pytest.approx([0.5, 0.3, 0.15], rel=5e-3)
    with pytest.raises(DataError, match=r"points on the echo at|no points on the time axis"):
        import_file(tmp_path / "7", tmp_path / "set.zarr", **options | {"start": 60.0})


def test_the_command_prints_what_the_file_says_and_draws_the_decay(tmp_path, block, sequence, capsys):
    folder = with_list(tmp_path / "7", block)
    options = ["--experiment", sequence, "--out", tmp_path / "set.zarr", "--plot", tmp_path / "decay.png"]
    assert run("import", folder, *options) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "The file says: nucleus 139La, dwell 0.25 us." in printed
    assert (tmp_path / "decay.png").read_bytes().startswith(b"\x89PNG")
    assert run("import", folder, *options, "--json") == 0
    said = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert said["told"]["nucleus"] == "139La"
    assert said["echoes"]["tau20"]["time"] == 40.0
    assert run("import", folder, *options, "--index", "1", "--sweep", "tau") == 2
    assert "`--sweep` must be left out where `--index` chooses one record" in capsys.readouterr().err
    assert run("import", tmp_path / "set.zarr", "--out", tmp_path / "x.zarr", "--plot", tmp_path / "x.png") == 2
    assert "Option `--plot` draws measured echoes, but has no meaning for format zarr" in capsys.readouterr().err


def test_a_tecmag_record_tells_its_own_delay(tmp_path, block):
    table = tecmag_sequence({"de0:2": "10u 15u 20u"}, {}, ["de0:2"])
    write_tecmag(tmp_path / "echo.tnt", block, sequence=table)
    assert read_tecmag(tmp_path / "echo.tnt", index=2).told.swept == {"tau": 20.0}
    # A table that the sequence does not use, and two that it does, say nothing.
    for tables, uses in (({"de0:2": "1u 2u 3u"}, []), ({"de0:2": "1u 2u 3u", "de1:2": "4u 5u 6u"}, ["de0:2", "de1:2"])):
        write_tecmag(tmp_path / "echo.tnt", block, sequence=tecmag_sequence(tables, {}, uses))
        assert list(read_records(tmp_path / "echo.tnt")) == ["0", "1", "2"]
