"""The examples in docs/lattices-kernels-lines.md are read by the schemas."""

import re
from pathlib import Path

import numpy as np
import pytest
import yaml
from pydantic import TypeAdapter

from nmr_platform.physics import Coupling, FieldDirection, Kernel, Lattice, Line

PAGE = Path(__file__).parents[2] / "docs" / "lattices-kernels-lines.md"
SECTIONS = {"Lattices": Lattice, "Kernels": Kernel, "Coupling": Coupling, "Field": FieldDirection, "Lines": Line}


def examples():
    for section in PAGE.read_text(encoding="utf-8").split("\n## ")[1:]:
        for text in re.findall(r"`(\{[^`]*:[^`]*\})`", section):
            yield section.partition("\n")[0], text


@pytest.mark.parametrize(("section", "text"), list(examples()))
def test_a_documented_example_is_accepted(section, text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("coupling.npy", np.ones((4, 4)))
    TypeAdapter(SECTIONS[section]).validate_python(yaml.safe_load(text))


def test_every_kind_is_documented():
    documented = {(section, yaml.safe_load(text).get("kind")) for section, text in examples()}
    for section, union in SECTIONS.items():
        if section not in {"Coupling", "Field"}:
            kinds = TypeAdapter(union).json_schema()["discriminator"]["mapping"]
            assert {kind for name, kind in documented if name == section} >= set(kinds) - {"chain", "cubic"}
