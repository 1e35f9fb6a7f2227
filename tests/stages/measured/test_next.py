"""The sequence that comes next: what is open after an answer, and the search for what tells most of it."""

import json

import pytest
import yaml

from nmr_platform.cli.app import main
from nmr_platform.datasets import Range
from nmr_platform.errors import ConfigurationError, DataError
from nmr_platform.inference.matched import KernelPrior, Setting
from nmr_platform.stages.measured import next_sequence
from nmr_platform.stages.measured.next_sequence import open_after, search_for
from tests.inference.matched.records import SEQUENCE
from tests.inference.matched.small import PRIOR, priors

SETTING = Setting(sequence=SEQUENCE)


def number(value, source="measured"):
    return {"value": value, "error": 0.0, "unit": "", "source": source}


def told(lower, upper, *, informative=True):
    return {"value": lower, "lower": lower, "upper": upper, "level": 0.9, "unit": "MHz", "informative": informative}


@pytest.fixture
def answer(tmp_path):
    """The folder of an answer that tells X, and leaves Z and the kernel open."""
    said = {
        "quantities": {"X": told(0.04, 0.05), "Z": told(0.01, 0.06, informative=False)},
        "kernel": {"power": 0.3, "gaussian": 0.65, "rkky": 0.05},
        "look": {"noise": number(2e-6), "scale": number(500.0), "line": number(0.08), "phase": number(0.0, "given")},
    }
    folder = tmp_path / "inferred" / "echo.csv"
    folder.mkdir(parents=True)
    (folder / "answer.json").write_text(json.dumps(said))
    return folder


def test_what_is_open_is_read_from_an_answer(answer):
    left = open_after(answer)
    assert left.kernels == ("gaussian", "power")
    assert left.known == {"X": Range(low=0.04, high=0.05)}
    assert (left.noise, left.line, left.has_phase) == (pytest.approx(1e-3), 0.08, True)
    assert open_after(answer / "answer.json") == left


def test_what_is_no_answer_is_refused(tmp_path):
    with pytest.raises(
        DataError, match=r"must be a folder that `nmr infer` wrote for a file, but holds no answer.json"
    ):
        open_after(tmp_path)
    (tmp_path / "answer.json").write_text('{"quantities": {}}')
    with pytest.raises(DataError, match=r"must be an answer of `nmr infer`, but lacks 'kernel'"):
        open_after(tmp_path)


def test_curves_of_the_search_are_those_that_the_answer_leaves_possible(answer):
    recipes, settings = search_for("Z", open_after(answer), SETTING, priors("gaussian"), time=200.0, n_trials=7)
    assert [*recipes] == ["gaussian"]
    assert recipes["gaussian"].constraints == {"X": Range(low=0.04, high=0.05)}
    assert recipes["gaussian"].example.receiver.noise == pytest.approx(1e-3)
    assert (settings.n_trials, settings.space.limits.time, settings.features.signal) == (7, 200.0, "complex")


def test_the_kernel_is_asked_of_all_that_are_possible(answer):
    left = open_after(answer)
    algebraic = {**PRIOR, "kernel.exponent": {"kind": "uniform", "low": 2.0, "high": 4.0}}
    del algebraic["kernel.xi"]
    both = {**priors("gaussian"), "power": KernelPrior(kernel={"kind": "power"}, prior=algebraic)}
    _, settings = search_for("kernel", left, SETTING, both, time=200.0, n_trials=7)
    assert settings.objective.classes.kernels == ("gaussian", "power")
    with pytest.raises(ConfigurationError, match="it is gaussian"):
        search_for("kernel", left._replace(kernels=("gaussian",)), SETTING, both, time=200.0, n_trials=7)


def test_after_several_records_the_search_begins_with_the_sequence_of_the_first(answer):
    several = Setting(sequences={"short": SEQUENCE, "long": {"kind": "hahn", "tau": 60.0}})
    recipes, settings = search_for("Z", open_after(answer), several, priors("gaussian"), time=200.0, n_trials=7)
    assert recipes["gaussian"].record_names == ("",)
    alone = search_for("Z", open_after(answer), SETTING, priors("gaussian"), time=200.0, n_trials=7)
    assert settings == alone[1]


def test_a_phase_that_was_read_off_the_echo_is_not_looked_at(answer):
    left = open_after(answer)._replace(has_phase=False)
    _, settings = search_for("Z", left, SETTING, priors("gaussian"), time=200.0, n_trials=7)
    assert settings.features.signal == "magnitude"


def test_the_command_writes_a_sequence_within_the_time(answer, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    small = {"shape": [8, 8], "n_curves": 40, "startup_trials": 3}
    verdict = {**next_sequence.SEARCH["verdict"], "n_curves": 60, "families": ["linear"], "n_trials": 1}
    monkeypatch.setattr(next_sequence, "SEARCH", {**next_sequence.SEARCH, **small, "verdict": verdict})
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump({"sequence": SEQUENCE, "drive": {}}))
    (tmp_path / "prior.yaml").write_text(yaml.safe_dump({"gaussian": PRIOR, "power": PRIOR}))
    options = ["--prior", "prior.yaml", "--parameter", "Z", "--time", "120", "--n-trials", "4", "--tracker", "none"]

    def run(*more):
        with pytest.raises(SystemExit) as ended:
            main(["next", str(answer), "--experiment", "mine.yaml", *options, *more])
        assert ended.value.code in (0, None)
        return capsys.readouterr().out.splitlines()[-1]

    said = json.loads(run("--json"))
    assert said["time"] <= 120
    assert said["gain_lower"] <= said["score"] - said["baseline"] <= said["gain_upper"]
    [sequence] = yaml.safe_load((tmp_path / said["measurement"]).read_text())["sequences"].values()
    assert sequence["tau"] <= 60
    assert run().startswith(said["sequence"])
