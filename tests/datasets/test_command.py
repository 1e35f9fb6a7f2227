"""`nmr generate` as people and programs call it."""

import json

import pytest

from nmr_platform.cli.app import main
from nmr_platform.datasets import load, load_records
from tests.datasets.executor_contract import n_shards
from tests.datasets.trees import digest_of_tree
from tests.stages.tiny import tiny_values, write_params


@pytest.fixture
def nmr(tmp_path, monkeypatch, capsys):
    """Run `nmr generate` in an empty folder; returns exit code, lines on standard output and text on standard error."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        with pytest.raises(SystemExit) as ended:
            main(["generate", *arguments])
        shown = capsys.readouterr()
        return ended.value.code, shown.out.splitlines(), shown.err

    return run


def test_a_preset_makes_its_data_set_with_a_picture_beside_it(nmr, tmp_path):
    code, (line,), shown = nmr("--preset", "tiny", "--kernel", "power", "--n-curves", "7")
    assert code == 0
    assert line.startswith("data/tiny/power.zarr: 7 curves, 7 simulated now, digest ")
    assert "simulate power" in shown
    dataset = load("data/tiny/power.zarr")
    assert set(dataset["kernel"].to_numpy()) == {"power"}
    assert (tmp_path / "data" / "tiny" / "power.png").read_bytes().startswith(b"\x89PNG")


def test_without_a_kernel_all_of_them_are_made_and_events_come_one_a_line(nmr):
    code, lines, _ = nmr("--preset", "tiny", "--n-curves", "3", "--json")
    events = [json.loads(line) for line in lines]
    assert code == 0
    assert [event["event"] for event in events] == ["begin", "shard", "published"] * 3
    assert [event["path"] for event in events[2::3]] == [f"data/tiny/{k}.zarr" for k in ("gaussian", "power", "rkky")]


def test_disorder_executor_and_places_are_options(nmr, tmp_path):
    code, _, _ = nmr(
        *(
            "--preset",
            "tiny",
            "--kernel",
            "gaussian",
            "--n-curves",
            "4",
            "--disorder",
            "frozen",
            "--integrator",
            "fast",
        ),
        *("--out", "my.zarr", "--shards", "parts", "--executor", "{kind: threads, n: 1}"),
    )
    assert code == 0
    dataset = load("my.zarr")
    assert set(dataset["disorder"].to_numpy()) == {"1/frozen"}
    assert json.loads(dataset.attrs["recipe"])["integrator"] == "fast"
    assert n_shards(tmp_path / "parts") == 1


def test_several_sequences_in_params_make_records_that_are_verified_and_repaired(nmr, tmp_path):
    values = tiny_values()
    del values["data"]["experiment"]["sequence"]
    sequences = {"plain": {"kind": "hahn", "tau": 50.0}, "decay": {"kind": "hahn", "sweep": {"tau": [40.0, 60.0]}}}
    values["data"]["experiment"]["sequences"] = sequences
    write_params(tmp_path, values)
    assert nmr("--kernel", "gaussian", "--n-curves", "5", "--out", "my.zarr")[0] == 0
    assert list(load_records("my.zarr")) == ["plain", "decay-tau40", "decay-tau60"]
    assert (tmp_path / "my.png").read_bytes().startswith(b"\x89PNG")
    before = digest_of_tree(tmp_path / "my.zarr")
    assert nmr("--verify", "--out", "my.zarr")[0] == 0
    (tmp_path / "my.zarr" / "decay-tau60" / "m" / "c" / "0" / "0").unlink()
    code, _, shown = nmr("--verify", "--out", "my.zarr")
    assert code == 2
    assert "Chunk `decay-tau60/m/c/0/0` (rows 0 to 4) of data set `my.zarr` is missing" in shown
    assert nmr("--repair", "--out", "my.zarr")[0] == 0
    assert digest_of_tree(tmp_path / "my.zarr") == before


def test_verify_and_repair_need_nothing_but_the_data_set(nmr, tmp_path):
    nmr("--preset", "tiny", "--kernel", "gaussian", "--out", "my.zarr")
    before = digest_of_tree(tmp_path / "my.zarr")
    code, (line,), _ = nmr("--verify", "--out", "my.zarr")
    assert code == 0
    assert line == "my.zarr: all checksums of its 60 curves are right, and 1 simulated again are the same bit for bit."
    chunk = tmp_path / "my.zarr" / "m" / "c" / "0" / "0"
    chunk.write_bytes(chunk.read_bytes()[:-10])
    code, _, shown = nmr("--verify", "--out", "my.zarr")
    assert code == 2
    assert "Chunk `m/c/0/0` (rows 0 to 59) of data set `my.zarr` is damaged (checksum); `nmr generate --repair" in shown
    code, (line,), _ = nmr("--repair", "--out", "my.zarr")
    assert code == 0
    assert "60 curves, 0 simulated now" in line
    assert digest_of_tree(tmp_path / "my.zarr") == before


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--preset", "july2021"], "Argument `preset` must be one of august2021, demo,"),
        (
            ["--preset", "tiny", "--kernel", "flat"],
            "Argument `kernel` must be one of gaussian, power, rkky, but is 'flat'",
        ),
        (["--preset", "tiny", "--disorder", "thawed"], "`disorder` is 'thawed', but it must be 'fresh' or 'frozen'"),
        (
            ["--preset", "tiny", "--out", "x.zarr"],
            "Option --out names one data set, so --kernel must be one of gaussian",
        ),
        (["--preset", "tiny", "--executor", "{kind: ray}"], "Key `executor.kind` is 'ray', but it must be one of"),
        (["--verify", "--repair", "--out", "x"], "Options --verify and --repair must not be given together, but are."),
        (["--verify", "--n-curves", "5"], "Option --n-curves must not be given with --verify or --repair, which take"),
        (["--verify", "--out", "x.zarr"], "Data set `x.zarr` does not exist or is not a data set"),
        ([], "File `params.yaml` does not exist."),
    ],
)
def test_bad_input_ends_with_code_2_and_one_sentence(nmr, arguments, sentence):
    code, lines, shown = nmr(*arguments)
    assert (code, lines) == (2, [])
    assert sentence in " ".join(shown.split())
    assert "Traceback" not in shown


def test_the_command_without_arguments_reads_the_parameter_file_beside_it(nmr, tmp_path):
    write_params(tmp_path, tiny_values())
    code, (line,), _ = nmr("--kernel", "rkky")
    assert code == 0
    assert line.startswith("data/simulated/rkky.zarr: 24 curves")
