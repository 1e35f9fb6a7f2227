"""The experiments in the documentation are valid, and can be simulated."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from nmr_platform import Measurement, measure
from nmr_platform.schema import read_yaml, validate

DOCS = Path(__file__).parents[1] / "docs"
REST: dict[str, Any] = {
    "lattice": {"shape": [4, 4]},
    "kernel": {"kind": "uniform"},
    "coupling": {"alpha_x": 1e-3, "alpha_y": 1e-3, "alpha_z": 1e-3},
    "line": {"fwhm": 0.05, "bandwidth": 0.2},
    "step": 0.25,
}


def blocks():
    for page in sorted(DOCS.glob("*.md")):
        for number, text in enumerate(re.findall(r"```yaml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)):
            if re.search(r"^(lattice|sequences?):", text, re.MULTILINE):
                yield pytest.param(text, id=f"{page.stem}-{number}")


def read(text, folder):
    (folder / "experiment.yaml").write_text(text, encoding="utf-8")
    return read_yaml(folder / "experiment.yaml")


@pytest.mark.parametrize("text", list(blocks()))
def test_an_experiment_in_the_docs_is_valid_and_runs(text, tmp_path):
    values = read(text, tmp_path)
    validate(Measurement, values if "lattice" in values else REST | values)
    echoes = measure(validate(Measurement, REST | values | {name: REST[name] for name in ("lattice", "line")}))
    assert all(echo.m.size == echo.time.size > 0 for echo in echoes.values())


def test_every_kind_of_sequence_and_every_section_around_it_is_documented(tmp_path):
    documented = [read(block.values[0], tmp_path) for block in blocks()]
    kinds = {values["sequence"]["kind"] for values in documented if "sequence" in values}
    schema = Measurement.model_json_schema()
    assert kinds == set(schema["properties"]["sequence"]["anyOf"][0]["discriminator"]["mapping"])
    assert {key for values in documented for key in values} == set(schema["properties"])


def test_the_citation_names_this_package_its_version_and_its_licence():
    root = DOCS.parent
    cited = read_yaml(root / "CITATION.cff")
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert {"cff-version", "message", "title", "authors"} <= set(cited), "what the format requires"
    assert cited["version"] == project["version"]
    assert cited["license"] == project["license"]
    assert all(set(author) == {"name"} for author in cited["authors"])
