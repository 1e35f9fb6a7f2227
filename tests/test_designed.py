"""The section `designed`: the same samples under another measurement, and whatever else it says."""

import pytest
import yaml

from nmr_platform.config import read_params
from nmr_platform.datasets import DataSettings
from nmr_platform.designed import read_designed_sections
from nmr_platform.errors import ConfigurationError
from nmr_platform.learning import TaskTable, TuneSettings
from nmr_platform.schema import Schema, read_sections
from nmr_platform.workspace import Workspace
from tests.stages.tiny import tiny_values, write_params

FOUND = {"s1": {"kind": "hahn", "tau": 20.0, "theta1": 80.0}, "s2": {"kind": "hahn", "tau": 10.0}}


class Sections(TaskTable):
    data: DataSettings
    tune: TuneSettings


class Data(Schema):
    data: DataSettings


def written(folder, content, **designed):
    values = tiny_values()
    values["designed"] = {"measurement": {"found": "results/pulses"}, "tasks": ["W"]} | designed
    (folder / "results" / "pulses").mkdir(parents=True)
    (folder / "results" / "pulses" / "best.yaml").write_text(yaml.safe_dump(content))
    return write_params(folder, values)


def test_samples_are_the_same_and_sequences_those_that_were_found(tmp_path):
    path = written(tmp_path, {"sequences": FOUND})
    one, designed = (
        read_sections(path, Data).data.recipe("power"),
        read_designed_sections(path, Data).data.recipe("power"),
    )
    assert designed.record_names == ("s1", "s2")
    assert str(designed.examples["s1"].sequence) == "80x - 20 us - 180y - 40 us"
    assert designed.curve(3).drawn == one.curve(3).drawn
    assert designed.curve(3).disorder == one.curve(3).disorder


def test_a_file_may_hold_one_sequence(tmp_path):
    (tmp_path / "mine.yaml").write_text("sequence: {kind: hahn, tau: 15}")
    path = written(tmp_path, {}, measurement={"path": "mine.yaml"})
    recipe = read_designed_sections(path, Data).data.recipe("gaussian")
    assert recipe.record_names == ("",)
    assert recipe.example.sequence.tau == 15


def test_other_keys_are_laid_over_and_tasks_have_names_of_their_own(tmp_path):
    path = written(
        tmp_path, {"sequences": FOUND}, tune={"n_trials": 7}, data={"experiment": {"lattice": {"shape": [6, 6]}}}
    )
    read = read_designed_sections(path, Sections)
    assert (read.tune.n_trials, read.tune.cv_folds) == (7, 3)
    assert read.data.recipe("gaussian").example.lattice.shape == (6, 6)
    assert list(read.tasks) == ["designed-W"]
    assert read.tasks["designed-W"] == read_sections(path, Sections).tasks["W"]


@pytest.mark.parametrize(
    ("content", "designed", "sentence"),
    [
        ({}, {}, r"best.yaml` must hold a measurement, with `sequences` or one `sequence`, but holds neither"),
        ([1], {}, r"must hold a measurement"),
        ({}, {"measurement": {"found": "elsewhere"}}, r"does not exist yet; make it with `dvc repro optimise_pulses`"),
        ({}, {"measurement": {}}, r"must have either `found`, a folder of a pulse search, or `path`, a file"),
        ({}, {"measurement": {"found": "a", "path": "b"}}, r"must have either `found`"),
        ({}, {"measurement": {"path": "no.yaml"}}, r"no.yaml"),
        ({"sequences": FOUND}, {"tune": {"n_trial": 3}}, r"`tune.n_trial` is not known. Did you mean `n_trials`"),
    ],
)
def test_what_is_no_measurement_is_refused(tmp_path, content, designed, sentence):
    with pytest.raises(ConfigurationError, match=sentence):
        read_designed_sections(written(tmp_path, content, **designed), Sections)


def test_a_file_without_the_section_is_refused(tmp_path):
    values = {name: value for name, value in tiny_values().items() if name != "designed"}
    with pytest.raises(ConfigurationError, match="Key `designed` is missing"):
        read_designed_sections(write_params(tmp_path, values), Sections)


def test_tasks_must_be_there(tmp_path):
    with pytest.raises(ConfigurationError, match=r"`designed.tasks` must name tasks of `tasks` \(W, .*, but has 'V'"):
        read_params(written(tmp_path, {}, tasks=["V"]))


def test_data_lie_apart_and_results_beside_the_others(tmp_path):
    one, designed = Workspace(tmp_path), Workspace(tmp_path, is_designed=True)
    assert designed.simulated("power") == tmp_path / "data" / "designed" / "simulated" / "power.zarr"
    assert designed.features != one.features
    assert designed.metrics("designed-W") == tmp_path / "metrics" / "designed-W.json"
