"""`nmr infer`, from a file to a page."""

import json

import numpy as np
import pytest
import yaml

from nmr_platform.cli.app import main
from tests.exchange.instrument_files import write_bruker
from tests.inference.matched.records import SEQUENCE
from tests.inference.matched.small import PRIOR, QUICK, measured
from tests.inference.matched.test_several import BOTH, sample


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with an echo in volts, its experiment and a prior, and no params.yaml."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("nmr_platform.inference.matched.way.TUNE", QUICK)
    record = measured(tmp_path / "echo.csv")
    np.savetxt("echo.csv", np.column_stack([record.time - 34.0, record.signal.real, record.signal.imag]), delimiter=",")
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump({"sequence": SEQUENCE, "lattice": {"shape": [8, 8]}}))
    (tmp_path / "prior.yaml").write_text(yaml.safe_dump({"gaussian": PRIOR}))
    return tmp_path


def infer(*more, files=("echo.csv",), unit=("--unit", "us")):
    options = ["--experiment", "mine.yaml", "--prior", "prior.yaml", "--budget", "60", "--tracker", "none"]
    with pytest.raises(SystemExit) as ended:
        main(["infer", *files, *options, *unit, *more])
    return ended.value.code


def test_a_file_becomes_an_answer_and_a_page(folder, capsys):
    assert infer("--start", "34", "--json") in (0, None)
    said = json.loads(capsys.readouterr().out)
    assert {"quantities", "kernel", "misfit", "report"} <= set(said)
    assert set(said["quantities"]["W"]) == {"value", "lower", "upper", "level", "unit", "informative"}
    assert said["kernel"] == {"gaussian": 1.0}
    page = folder / said["report"]
    assert f"record digest {said['digest']}" in page.with_suffix(".md").read_text()
    assert (page.parent / "record.png").stat().st_size > 0


def test_a_start_that_was_forgotten_is_a_warning_that_names_the_option(folder, capsys):
    # In the noise of so few spins something like an echo is found all the same.
    infer()
    assert "Warning: The echo is at" in (said := " ".join(capsys.readouterr().out.split()))
    assert "`--start`" in said


def test_a_wrong_start_is_refused_by_a_sentence_that_names_the_option(folder, capsys):
    assert infer("--start", "700") == 2
    assert "give `--start`" in " ".join(capsys.readouterr().err.split())


def test_a_magnitude_alone_is_answered_and_nothing_is_said_of_its_phase(folder, capsys):
    table = np.loadtxt("echo.csv", delimiter=",")
    np.savetxt("echo.csv", np.column_stack([table[:, 0], np.hypot(table[:, 1], table[:, 2])]), delimiter=",")
    assert infer("--start", "34", "--columns", "1,2") in (0, None)
    page = (folder / "inferred" / "echo.csv" / "report.md").read_text()
    assert "* line:" in page
    assert "* phase:" not in page
    assert "mislead" not in page
    said = capsys.readouterr().out
    assert "  phase:" not in said
    assert "(measured)" in said.partition("  line: ")[2].partition("\n")[0]


@pytest.fixture
def both(folder):
    """The same with a second echo of the sample, and an experiment of both."""
    for name, record in sample().items():
        columns = [record.time - record.start, record.signal.real, record.signal.imag]
        np.savetxt(f"{name}.csv", np.column_stack(columns), delimiter=",")
    (folder / "mine.yaml").write_text(
        yaml.safe_dump({"sequences": BOTH, "lattice": {"shape": [8, 8]}}, sort_keys=False)
    )
    return folder


def test_several_records_of_one_sample_make_one_answer(both, capsys):
    # Both begin 4 us after their second pulse.
    options = ("--record", "long=long.csv", "--record", "short=short.csv", "--since", "last", "--start", "4", "--json")
    assert infer(*options, files=()) in (0, None)
    said = json.loads(capsys.readouterr().out)
    assert [*said["records"]] == ["short", "long"]
    assert {"short.top", "long.after"} < set(said["misfit"]["parts"])
    page = both / said["report"]
    assert page.parent.name == "short.csv+long.csv"
    assert "| long | 90x - 60 us - 180y - 120 us |" in (text := page.with_suffix(".md").read_text())
    assert "long.csv |" in text
    pictures = {"record.png", "records.png", "decay.png", "refined-gaussian-short.png", "refined-gaussian-long.png"}
    assert {path.name for path in page.parent.glob("*.png")} == pictures
    assert all(f"({name})" in text for name in pictures)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--record", "short=short.csv"), "must give a file of each of short, long, but gives short"),
        (("--record", "short=short.csv", "--record", "x=long.csv"), "of each of short, long, but gives short, x"),
        (("--record", "short"), "must be NAME=FILE, each name once, but is 'short'"),
        ((), "nothing is given"),
    ],
)
def test_records_without_their_sequence_are_refused(both, capsys, options, said):
    assert infer(*options, files=()) == 2
    assert said in " ".join(capsys.readouterr().err.split())


def test_one_file_of_one_record_is_refused_where_several_are_asked_for(both, capsys):
    assert infer(files=("short.csv",)) == 2
    assert "holds 1 record, but `--experiment` has the sequences short, long" in " ".join(
        capsys.readouterr().err.split()
    )


def test_a_list_of_delays_becomes_one_answer(folder, capsys):
    records = [record.signal for record in sample().values()]
    longest = max(len(signal) for signal in records)
    block = np.array([np.pad(signal, (0, longest - len(signal))) for signal in records])
    write_bruker(folder / "7", 1e6 * block, step=0.5)
    (folder / "7" / "vdlist").write_text("30u\n60u\n")
    options = ("--since", "last", "--start", "4", "--no-refine", "--json")
    assert infer(*options, files=("7",), unit=()) in (0, None)
    said = json.loads(capsys.readouterr().out)
    assert (folder / said["report"]).with_name("decay.png").exists()
    assert "nucleus 139La" in said["records"]["tau30"]["told"]
    assert {name: each["sequence"] for name, each in said["records"].items()} == {
        "tau30": "90x - 30 us - 180y - 60 us",
        "tau60": "90x - 60 us - 180y - 120 us",
    }
