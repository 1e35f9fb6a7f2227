"""The examples in the docstrings run, and the public functions have one."""

import doctest
from importlib import import_module
from pathlib import Path

import pytest

import nmr_platform

ROOT = Path(nmr_platform.__file__).parent
HAS_EXAMPLE = (
    "simulation.simulate",
    "physics.Experiment",
    "datasets.generate",
    "features.extract",
    "inference.Predictor.predict",
    "exchange.import_file",
    "pulse_design.objectives.SeparationSettings",
    "pulse_design.objectives.ScoreSettings",
    "pulse_design.objectives.FisherSettings",
)


def modules():
    """Modules with an example; the others are not imported, which would take seconds."""
    for path in sorted(ROOT.rglob("*.py")):
        if ">>> " in path.read_text(encoding="utf-8"):
            parts = path.relative_to(ROOT.parent).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@pytest.mark.parametrize("name", list(modules()))
def test_examples_give_what_they_say(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    outcome = doctest.testmod(import_module(name), optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    assert outcome.attempted > 0
    assert outcome.failed == 0


@pytest.mark.parametrize("name", HAS_EXAMPLE)
def test_what_people_start_with_has_an_example(name):
    room, _, path = name.partition(".")
    thing = import_module(f"nmr_platform.{room}")
    for part in path.split("."):
        thing = getattr(thing, part)
    assert ">>> " in thing.__doc__
