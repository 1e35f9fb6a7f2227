"""A stage that runs again changes nothing: dvc.lock holds hashes of what it wrote."""

import json

import pytest

from nmr_platform.datasets import load
from nmr_platform.schema import read_yaml
from tests.stages.tiny import KERNELS, TASKS, contents, copied, isolate, merged, nmr, write_params

QUIET = ("--tracker", "none")
STAGES = [
    *(("generate", "--kernel", kernel) for kernel in KERNELS),
    ("features",),
    *((stage, "--task", task, *QUIET) for task in TASKS for stage in ("tune", "evaluate")),
    ("compare-disorder",),
    ("optimise-pulses", *QUIET),
    ("report",),
]
RECORDS = {
    "generate": {"path", "digest", "simulated", "acceptance"},
    "features": {"curves", "columns"},
    "tune": {"task", "champion", "cv", "tracking_share"},
    "evaluate": {"task", "champion", "value", "lower", "upper"},
    "compare-disorder": {"scores"},
    "optimise-pulses": {"theta1", "theta2", "sequence", "target", "baseline", "best", "lower", "upper"},
    "report": {"report", "markdown", "published"},
}


@pytest.fixture(scope="module")
def repeated(project, tmp_path_factory):
    """The project run again from nothing but its parameters, over its old outputs, and what the stages said."""
    folder = tmp_path_factory.mktemp("repeated")
    with pytest.MonkeyPatch.context() as patch:
        isolate(patch, folder)
        again = copied(project, folder / "project", journal=False)
        return again, [(stage[0], nmr(again, *stage, "--json")) for stage in STAGES]


def changed(before, after):
    return sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))


def test_the_pipeline_run_from_nothing_gives_the_same_bytes(project, repeated):
    again, ended = repeated
    assert {each.code for _, each in ended} == {0}
    assert changed(contents(project), contents(again)) == []


def test_programs_get_a_json_object_last_from_every_stage(repeated):
    for stage, ended in repeated[1]:
        assert json.loads(ended.out.splitlines()[-1]).keys() >= RECORDS[stage]


@pytest.mark.parametrize("stage", [STAGES[0], STAGES[4], STAGES[-2]], ids=lambda stage: stage[0])
def test_a_stage_that_finds_its_own_work_done_gives_the_same_bytes(project, spoilable, stage):
    assert nmr(spoilable, *stage).code == 0
    assert changed(contents(project), contents(spoilable)) == []


def test_a_data_set_that_grew_keeps_its_first_curves(project, spoilable):
    write_params(spoilable, merged(read_yaml(spoilable / "params.yaml"), {"data": {"n_curves": 27}}))
    assert nmr(spoilable, "generate", "--kernel", "rkky").code == 0
    small, large = (load(folder / "data/simulated/rkky.zarr") for folder in (project, spoilable))
    assert large["m"][:24].to_numpy().tobytes() == small["m"].to_numpy().tobytes()
