"""The files around the package: do dvc.yaml, params.yaml, MLproject, the lock and CI agree with each other?"""

import ast
import re
import shlex
import tomllib
from itertools import product
from pathlib import Path

import pytest
import yaml

from nmr_platform.config import Params
from nmr_platform.designed import designed_name
from nmr_platform.workspace import Workspace
from tests.closure import PROJECTS, closure, code_of, updated
from tests.stages.tiny import ROOT

DVC = yaml.safe_load((ROOT / "dvc.yaml").read_text())
PARAMS = yaml.safe_load((ROOT / "params.yaml").read_text())
PACKAGE = sorted((ROOT / "nmr_platform").rglob("*.py"))
LONGEST_MODULE, LONGEST_FUNCTION = 400, 70


def stages(pipeline):
    """Every stage of a ``dvc.yaml`` with its matrix spelt out: name, definition."""
    for name, stage in pipeline["stages"].items():
        matrix = stage.get("matrix", {})
        for values in product(*matrix.values()):
            text = yaml.safe_dump({key: value for key, value in stage.items() if key != "matrix"})
            for key, value in zip(matrix, values, strict=True):
                text = text.replace(f"${{item.{key}}}", value)
            yield "@".join([name, *values]), yaml.safe_load(text)


STAGES = dict(stages(DVC))


def paths(stage, part):
    return [next(iter(entry)) if isinstance(entry, dict) else entry for entry in STAGES[stage].get(part, [])]


PRODUCED = {path for name in STAGES for part in ("outs", "metrics") for path in paths(name, part)}


def at(values, dotted):
    for key in dotted.split("."):
        values = values[key]
    return values


# dvc.yaml


def test_there_is_a_stage_for_every_kernel_of_params():
    matrices = {name: stage["matrix"] for name, stage in DVC["stages"].items() if "matrix" in stage}
    kernels = {"kernel": list(PARAMS["data"]["kernels"])}
    assert matrices == {"simulate": kernels, "simulate_designed": kernels}


@pytest.mark.parametrize("part", ["", "_designed"])
def test_the_models_of_a_task_are_evaluated_after_it_was_tuned(part):
    tuned = paths(f"tune{part}", "outs")
    assert [path for path in paths(f"evaluate{part}", "deps") if path.startswith("results/")] == tuned


@pytest.mark.parametrize("stage", STAGES)
def test_what_a_stage_reads_exists_or_is_made_by_another(stage):
    for path in paths(stage, "deps"):
        made = any(f"{output}/".startswith(f"{path}/") or path.startswith(f"{output}/") for output in PRODUCED)
        assert made or (ROOT / path).exists(), path


@pytest.mark.parametrize("stage", STAGES)
def test_the_parameters_of_a_stage_exist(stage):
    for key in STAGES[stage].get("params", []):
        at(PARAMS, key)


@pytest.mark.parametrize("study", sorted(each.name for each in (ROOT / "studies").iterdir()))
def test_the_parameters_of_the_stages_of_a_study_exist(study):
    folder = ROOT / "studies" / study
    params, dvc = (yaml.safe_load((folder / name).read_text()) for name in ("params.yaml", "dvc.yaml"))
    for _, stage in stages(dvc):
        for key in stage.get("params", []):
            at(params, key)


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_runs_a_script_of_pipelines(stage):
    python, dash_m, module, *options = shlex.split(STAGES[stage]["cmd"])
    assert (python, dash_m) == ("python", "-m")
    assert (ROOT / f"{module.replace('.', '/')}.py").is_file()
    is_designed = stage.split("@")[0].endswith("_designed")
    assert options[-1:] == ["--designed"] if is_designed else "--designed" not in options
    assert len(options) - is_designed in {0, 2}


def test_the_outputs_lie_where_the_stages_write_them():
    workspace, designed = Workspace(), Workspace(is_designed=True)
    asked = [*PARAMS["tasks"], *(designed_name(task) for task in PARAMS["designed"]["tasks"])]
    simulated = [
        make(kernel)
        for each in (workspace, designed)
        for make in (each.simulated, each.thumbnail)
        for kernel in PARAMS["data"]["kernels"]
    ]
    expected = [
        *simulated,
        *(make(task) for task in asked for make in (workspace.tuned, workspace.evaluated, workspace.metrics)),
        workspace.features,
        designed.features,
        workspace.disorder,
        workspace.metrics("disorder"),
        workspace.pulses,
        workspace.metrics("pulses"),
        workspace.reports,
    ]
    assert sorted(PRODUCED) == sorted(path.as_posix() for path in expected)


@pytest.mark.parametrize("project", PROJECTS, ids=lambda project: project or "default")
def test_a_stage_depends_on_the_code_that_it_imports_and_on_no_other(project):
    text = (ROOT / project / "dvc.yaml").read_text()
    assert updated(text, project) == text, "run `python -m tests.closure`"


def test_a_simulation_depends_on_no_reader_of_files_no_model_and_no_tracker():
    listed = code_of("simulate")
    assert "nmr_platform/simulation" in listed
    assert not [path for path in listed if re.search("exchange|learning|tracking|pulse_design|config", path)]


@pytest.mark.parametrize("stage", ["tune", "evaluate", "optimise_pulses"])
def test_what_is_tracked_depends_on_the_tracker_and_on_the_schema(stage):
    assert {"nmr_platform/tracking", "nmr_platform/schema.py"} <= set(code_of(stage))


def test_an_import_inside_a_function_counts_and_one_for_type_checkers_does_not():
    files = {path.relative_to(ROOT).as_posix() for path in closure("pipelines.report")}
    assert "nmr_platform/stages/report.py" in files, "imported by the command when it is called"
    assert "nmr_platform/config.py" not in files


def test_metrics_are_kept_by_git_and_no_database_is_an_output():
    for stage in DVC["stages"].values():
        for entry in stage.get("metrics", []):
            assert list(entry.values()) == [{"cache": False}]
    assert not [path for path in PRODUCED if path.startswith((".nmr", "mlflow", "mlartifacts"))]


@pytest.mark.parametrize("part", ["split", "tune", "evaluate", "pulse_search", "features", "data", "designed"])
def test_every_part_of_params_decides_some_stage(part):
    read = {key.split(".")[0] for stage in STAGES.values() for key in stage.get("params", [])}
    assert part in read


# params.yaml


def numbers(values):
    """The numeric leaves of a YAML node, as (line, text)."""
    match values:
        case yaml.MappingNode():
            for _, value in values.value:
                yield from numbers(value)
        case yaml.SequenceNode():
            for value in values.value:
                yield from numbers(value)
        case yaml.ScalarNode() if re.fullmatch(r"[-+]?[\d.]+([eE][-+]?\d+)?", values.value):
            yield values.start_mark.line, values.value


def test_every_number_in_params_has_its_unit_or_meaning_on_its_line():
    text = (ROOT / "params.yaml").read_text()
    lines = text.splitlines()
    found = list(numbers(yaml.compose(text)))
    assert len(found) > 50
    bare = [lines[line] for line, _ in found if not re.search(r"#\s*\w", lines[line])]
    assert bare == []


def test_every_section_of_params_is_one_that_is_read():
    study = yaml.safe_load((ROOT / "studies" / "three-parameters" / "params.yaml").read_text())
    assert set(PARAMS) | set(study) == set(Params.model_fields)


# MLproject, lock, CI


def test_the_entry_points_of_mlproject_run_scripts_that_exist():
    project = yaml.safe_load((ROOT / "MLproject").read_text())
    assert (ROOT / project["python_env"]).is_file()
    assert project["entry_points"].pop("main")["command"] == "dvc repro"
    for name, entry in project["entry_points"].items():
        python, dash_m, module, *options = shlex.split(entry["command"])
        script = name.removesuffix("_designed")
        assert (python, dash_m, module) == ("python", "-m", f"pipelines.{script}")
        assert ("--designed" in options) == (script != name)
        assert (ROOT / "pipelines" / f"{script}.py").is_file()
        assert {option.strip("{}") for option in options if option.startswith("{")} == set(entry.get("parameters", {}))


def test_mlproject_has_every_stage_and_its_defaults_are_names_in_params():
    project = yaml.safe_load((ROOT / "MLproject").read_text())
    known = {"kernel": PARAMS["data"]["kernels"], "task": PARAMS["tasks"]}
    assert set(DVC["stages"]) <= set(project["entry_points"])
    for entry in project["entry_points"].values():
        for name, parameter in entry.get("parameters", {}).items():
            assert parameter["default"] in known[name]


@pytest.mark.parametrize(("lock", "fewest"), [("requirements.lock", 100), ("requirements-extras.lock", 3)])
def test_every_line_of_a_lock_is_pinned_and_hashed_and_it_names_no_index(lock, fewest):
    text = (ROOT / lock).read_text()
    packages = re.split(r"\n(?=[a-zA-Z0-9])", re.sub(r"(?m)^#.*\n", "", text).strip())
    assert len(packages) > fewest
    for package in packages:
        assert re.match(r"[\w.\-]+(\[[\w,]+\])?==[\w.+!]+ ", package), package[:80]
        assert "--hash=sha256:" in package, package[:80]
    assert not re.search(r"index-url|find-links|://|trusted-host", text)


def test_the_locks_hold_what_the_project_depends_on_and_the_extras_only_what_the_default_set_has_not():
    pins, own = (
        re.findall(r"(?m)^([\w.\-]+)(?:\[[\w,]+\])?==([^ ]+)( ;)?", (ROOT / lock).read_text())
        for lock in ("requirements.lock", "requirements-extras.lock")
    )
    locked, more = ({name.lower() for name, *_ in lock} for lock in (pins, own))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = project["project"]["dependencies"] + project["dependency-groups"]["dev"]
    extras = [name for extra in project["project"]["optional-dependencies"].values() for name in extra]
    assert named(wanted) <= locked
    assert named(extras) <= locked | more
    # What the default set has under conditions only may be wanted without them, in the same versions.
    assert not {name.lower() for name, _, condition in pins if not condition} & more
    versions = {(name.lower(), version) for name, version, _ in pins}
    assert {(name.lower(), version) for name, version, _ in own if name.lower() in locked} <= versions
    assert {("msgspec", False)} <= {(name, bool(condition)) for name, _, condition in own}


def named(requirements):
    return {re.split(r"[<>=\[]", each)[0].lower() for each in requirements}


def test_ci_runs_the_checks_and_the_tests():
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & 0o111
    commands = script.read_text().splitlines()
    assert "make lint" in commands
    assert "make test" in commands
    assert any(line.startswith("set -e") for line in commands)


# The package


def test_no_module_is_too_long():
    lengths = {path.relative_to(ROOT).as_posix(): len(path.read_text().splitlines()) for path in PACKAGE}
    assert {name: length for name, length in lengths.items() if length > LONGEST_MODULE} == {}


def test_no_function_is_too_long():
    long = {}
    for path in PACKAGE:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                # What every argument means may take as many lines as there are arguments.
                explained = len((ast.get_docstring(node) or "").splitlines())
                length = node.end_lineno - node.lineno + 1 - explained
                if length > LONGEST_FUNCTION:
                    long[f"{path.relative_to(ROOT).as_posix()}:{node.name}"] = length
    assert long == {}


@pytest.mark.parametrize("path", PACKAGE, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_module_says_in_one_line_what_it_is_for_and_lists_what_it_offers(path):
    tree = ast.parse(path.read_text())
    opening = ast.get_docstring(tree)
    assert opening
    assert len(opening.splitlines()[0]) <= 120
    defines = any(isinstance(node, ast.FunctionDef | ast.ClassDef) for node in tree.body)
    assert not defines or re.search(r"(?m)^__all__(: list\[str\])? = ", path.read_text())


@pytest.mark.parametrize("path", sorted(Path(ROOT / "pipelines").glob("[a-z]*.py")), ids=lambda path: path.stem)
def test_a_script_of_the_pipeline_only_calls_the_command(path):
    tree = ast.parse(path.read_text())
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    assert len(tree.body) == 4
