"""The base of every configuration model."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import pytest
from pydantic import Field, PositiveFloat, model_validator

from nmr_platform.errors import ConfigurationError, NmrPlatformError
from nmr_platform.schema import Schema, read_yaml, unit_at, validate


class Coil(Schema):
    kind: Literal["coil"] = "coil"
    turns: int


class Loop(Schema):
    kind: Literal["loop"] = "loop"
    radius: PositiveFloat

    @model_validator(mode="after")
    def _fits(self):
        if self.radius > 10:
            message = "a loop of this size does not fit."
            raise ValueError(message)
        return self


class Probe(Schema):
    antenna: Annotated[Coil | Loop, Field(discriminator="kind")]
    spares: Annotated[tuple[Coil, ...], Field(strict=False, max_length=2)] = ()
    gain: float = 1.0


GOOD = {"antenna": {"kind": "coil", "turns": 5}}


def sentence(values, where=""):
    with pytest.raises(ConfigurationError, match="Key ") as caught:
        validate(Probe, values, where=where)
    return str(caught.value)


def test_valid_data_becomes_the_model():
    assert validate(Probe, GOOD | {"spares": [{"turns": 3}]}).spares == (Coil(turns=3),)


def test_whole_numbers_are_accepted_where_a_number_is_wanted():
    assert validate(Probe, GOOD | {"gain": 2}).gain == 2.0


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, "Key `antenna` is missing."),
        ({"antenna": {"kind": "coil"}}, "Key `antenna.turns` is missing."),
        ({"antenna": {"turns": 5}}, "Key `antenna.kind` is missing."),
        (
            {"antenna": {"kind": "coyl"}},
            "Key `antenna.kind` is 'coyl', but it must be one of 'coil', 'loop'. Did you mean `coil`?",
        ),
        ({"antenna": 5}, "Key `antenna` is 5, but it must hold keys of its own."),
        ({"antenna": {"kind": "coil", "turns": 2.5}}, "Key `antenna.turns` is 2.5, but it must be a valid integer."),
        ({"antenna": {"kind": "loop", "radius": 0.0}}, "Key `antenna.radius` is 0.0, but it must be greater than 0."),
        ({"antenna": {"kind": "loop", "radius": 11.0}}, "Key `antenna`: a loop of this size does not fit."),
        (GOOD | {"gian": 1.0}, "Key `gian` is not known. Did you mean `gain`?"),
        (GOOD | {"turns": 1}, "Key `turns` is not known."),
        (GOOD | {"gain": True}, "Key `gain` is True, but it must be a valid number."),
        (GOOD | {"gain": "2e3"}, "Key `gain` is the text '2e3', but it must be a number, without quotes."),
        (GOOD | {"gain": "high"}, "Key `gain` is 'high', but it must be a valid number."),
        (GOOD | {"gain": float("nan")}, "Key `gain` is nan, but it must be a finite number."),
        (GOOD | {"spares": 1}, "Key `spares` is 1, but it must be a list."),
        (GOOD | {"spares": [{"turns": 1}, {"turn": 2, "turns": 3}]}, "Key `spares.1.turn` is not known. Did you mean "),
        (GOOD | {"spares": [{"turns": 1}] * 3}, "but it must have 2 or fewer entries."),
        ([], "Key `(top level)` is [], but it must hold keys of its own."),
    ],
)
def test_a_fault_is_told_in_one_sentence(values, expected):
    assert expected in sentence(values)


def test_long_values_are_shortened():
    assert len(sentence(GOOD | {"gain": "x" * 500})) < 150


def test_the_first_three_faults_are_told_and_the_others_counted():
    assert sentence(GOOD | dict.fromkeys("abcde", 1)).endswith("Key `c` is not known. (And 2 more.)")


def test_the_error_carries_the_key_with_its_prefix_and_the_value():
    with pytest.raises(ConfigurationError, match=r"Key `probe\.antenna\.radius` is -1") as caught:
        validate(Probe, {"antenna": {"kind": "loop", "radius": -1.0}}, where="probe")
    assert caught.value.key == "probe.antenna.radius"
    assert caught.value.value == -1.0
    assert isinstance(caught.value, NmrPlatformError)


def test_a_copy_with_changes_is_validated_again():
    loop = Loop(radius=2.0)
    assert loop.replace(radius=3.0) == Loop(radius=3.0)
    with pytest.raises(ValueError, match="greater than 0"):
        loop.replace(radius=-3.0)


def test_yaml_is_read_into_plain_data(tmp_path):
    path = tmp_path / "probe.yaml"
    path.write_text("antenna: {kind: coil, turns: 5}\ngain: 2.0e-1\n")
    assert validate(Probe, read_yaml(path)).gain == 0.2


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigurationError, match=r"File `.*none\.yaml` does not exist"):
        read_yaml(tmp_path / "none.yaml")


def test_a_file_that_is_not_yaml_is_named(tmp_path):
    path = tmp_path / "broken.yaml"
    path.write_text("antenna: [1, 2")
    with pytest.raises(ConfigurationError, match=r"File `.*broken\.yaml` is not valid YAML: .*line 1"):
        read_yaml(path)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("tau: 1 # µs".encode("latin-1"), "must be encoded in UTF-8, but has the byte 0xb5 in line 1"),
        ("tau: 1".encode("utf-16"), "must be encoded in UTF-8, but is in UTF-16"),
        (b"tau: 1\ntau: 2", "is not valid YAML: found duplicate key"),
        (b"[" * 3000, "is nested deeper than 50 levels"),
    ],
)
def test_a_file_that_is_no_yaml_in_utf8_is_refused_by_one_sentence(tmp_path, content, reason):
    path = tmp_path / "odd.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=rf"File `.*odd\.yaml` {reason}"):
        read_yaml(path)


def test_a_mark_of_the_byte_order_before_utf8_changes_nothing(tmp_path):
    path = tmp_path / "marked.yaml"
    path.write_bytes("tau: 1".encode("utf-8-sig"))
    assert read_yaml(path) == {"tau": 1}


def test_what_is_no_file_or_has_no_end_is_refused(tmp_path, monkeypatch):
    with pytest.raises(ConfigurationError, match=r"cannot be read \(Is a directory\)"):
        read_yaml(tmp_path)
    monkeypatch.setattr("nmr_platform.files._LARGEST_TEXT", 2**20)
    with pytest.raises(ConfigurationError, match="`/dev/zero` is larger than 1 MiB"):
        read_yaml(Path("/dev/zero"))


def test_exponents_without_a_point_are_numbers_as_in_yaml_1_2(tmp_path):
    path = tmp_path / "numbers.yaml"
    path.write_text("[1e-5, -2E3, 1.5e2, 0.5e1, 1e5x, 12]")
    assert read_yaml(path) == [1e-5, -2000.0, 150.0, 5.0, "1e5x", 12]


class Lens(Schema):
    units: ClassVar[Mapping[str, str]] = {"radius": "mm", "focus": "mm"}
    radius: float


class Bifocal(Lens):
    units: ClassVar[Mapping[str, str]] = {"strength": "1/m"}
    focus: PositiveFloat
    strength: PositiveFloat


def test_a_sentence_gives_the_unit_that_the_class_or_its_base_declares_and_no_other_class():
    assert sentence({"antenna": {"kind": "loop", "radius": 0.0}}).endswith("must be greater than 0.")
    with pytest.raises(ConfigurationError, match=r"Key `focus` is missing \(mm\). Key `strength` is -1.0.* 0 \(1/m\)"):
        validate(Bifocal, {"radius": 1.0, "strength": -1.0})


def test_the_unit_at_a_place_is_that_of_the_kind_of_value_there():
    class Bench(Schema):
        parts: dict[str, Annotated[tuple[Lens | Loop, ...], Field(strict=False)]]

    assert unit_at(Bench, ("parts", "first", 0, "radius")) == "mm"
    assert unit_at(Bench, ("parts", "first", 0, "loop", "radius")) == ""
    assert unit_at(Bench, ("parts",)) == unit_at(Bench, ("nothing",)) == ""


def test_a_list_whose_entry_is_not_acceptable_is_not_called_too_short():
    class Shelf(Schema):
        lenses: Annotated[tuple[PositiveFloat, ...], Field(strict=False, min_length=1)]

    with pytest.raises(ConfigurationError, match=r"^Key `lenses\.0` is -1\.0, but it must be greater than 0\.$"):
        validate(Shelf, {"lenses": [-1.0]})
    with pytest.raises(ConfigurationError, match=r"^Key `lenses` is \[\], but it must have 1 or more entries\.$"):
        validate(Shelf, {"lenses": []})
