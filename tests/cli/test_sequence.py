"""`nmr simulate` prints and draws the pulse sequence."""

import json
from typing import get_args, get_type_hints

import pytest
import yaml

from nmr_platform.cli.app import main
from nmr_platform.cli.simulate import simulate
from nmr_platform.simulation import DTYPES, INTEGRATORS
from tests.builders import experiment_values


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "experiment.yaml"
    train = {"kind": "cpmg", "echo_spacing": 2.0, "n_echoes": 3, "nutation": 0.5}
    path.write_text(yaml.safe_dump(experiment_values() | {"sequence": train}))
    return path


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert not ended.value.code
    return capsys.readouterr().out


def test_the_sequence_is_printed_for_people_and_for_programs(file, capsys):
    readable = "90x (0.5 us) - 1 us - [180y (1 us) - 2 us] × 3"
    assert run(capsys, "simulate", str(file)).splitlines()[-1] == f"Sequence: {readable}."
    assert json.loads(run(capsys, "simulate", str(file), "--json"))["sequence"] == readable


def test_the_sequence_is_drawn(file, tmp_path, capsys):
    run(capsys, "simulate", str(file), "--draw-sequence", str(tmp_path / "new" / "pulses.png"))
    assert (tmp_path / "new" / "pulses.png").read_bytes().startswith(b"\x89PNG")


def test_the_command_line_offers_every_integrator_and_precision():
    offered = get_type_hints(simulate)
    assert (get_args(offered["integrator"]), get_args(offered["dtype"])) == (INTEGRATORS, DTYPES)


@pytest.mark.parametrize("command", ["simulate", "export-sequence"])
def test_a_refused_experiment_is_named_with_its_file_and_key(command, tmp_path, capsys):
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(experiment_values() | {"step": -1.0}))
    more = ["--out", str(tmp_path / "out")] if command == "export-sequence" else []
    with pytest.raises(SystemExit, match=r"^2$"):
        main([command, str(path), *more])
    said = capsys.readouterr().err
    assert said.startswith(f"Error: In `{path}`: Key `step`")
    assert not (tmp_path / "out").exists()
