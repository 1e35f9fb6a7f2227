"""YAML is read as DVC reads it, or refused by half a sentence; nothing hangs or grows."""

import pytest
from dvc.utils.serialize import parse_yaml as parsed_by_dvc

from nmr_platform.yaml_text import parse_yaml

BOMB = "a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
    f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 12)
)


@pytest.mark.parametrize(
    "text",
    [
        "a: 030",
        "a: 1:30",
        "a: yes",
        "a: on",
        "a: 0o17",
        "a: 0x1F",
        "a: 1_000",
        "a: 1e-5",
        "a: 12e03",
        "a: .inf",
        "a: 2020-01-01",
        "a: ~",
        "x: &x {a: 1}\ny: {<<: *x, b: 2}",
        "%YAML 1.1\n---\na: yes",
        "\ufeffa: 1",
        "? \n: 1",
    ],
)
def test_a_document_is_read_as_dvc_reads_it(text):
    assert parse_yaml(text) == parsed_by_dvc(text, "params.yaml")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: 1\nb: 2\na: 3", 'is not valid YAML: found duplicate key "a" .*, in line 3, column 1'),
        ("a: {b: 1, b: 2}", "found duplicate key"),
        ("a: [1", "is not valid YAML: .*in line 1"),
        ("a: 1\n--- 2", "another document"),
        ("a: \x00", "special characters are not allowed"),
        ("a: !!python/object:os.system x", "could not determine a constructor"),
        (f"a: {'9' * 5000}", "holds a value that cannot be read"),
        ("a: 2020-99-99", "holds a value that cannot be read"),
        ("a: !!bool 3", "holds a value that cannot be read"),
        ("!!int ''", "holds a value that cannot be read"),
        ("{a: 1}: 2", "found unhashable key"),
        ("a: &x [*x]", "refers to itself in line 1"),
        ("&x {<<: *x}", "refers to itself in line 1"),
        ("a" * 1_000_001, "is longer than 1,000,000 characters"),
        ('a: "\\ud800"', "holds half a character in line 1"),
        (BOMB, "holds more than 1,000,000 values"),
        ("[" * 3000 + "]" * 3000, "is nested deeper than 50 levels"),
        ("[" * 100_000, "is nested deeper than 50 levels"),
        ("- " * 3000 + "1", "is nested deeper than 50 levels"),
        ("[a, " * 60 + "]" * 60, "is nested deeper than 50 levels"),
        ("\n".join(f"{' ' * level}a:" for level in range(60)), "is nested deeper than 50 levels"),
    ],
    ids=range(21),
)
def test_what_a_person_does_not_write_is_refused(text, reason):
    with pytest.raises(ValueError, match=reason):
        parse_yaml(text)
