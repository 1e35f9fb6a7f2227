"""Two commands that would write the same place: one is told of the other, and nothing is touched."""

import pytest

from nmr_platform.files import alone
from nmr_platform.workspace import Workspace
from tests.stages.tiny import nmr, tiny_values, write_params


@pytest.mark.parametrize(
    ("arguments", "place"),
    [
        (("generate", "--kernel", "gaussian"), lambda w: w.simulated("gaussian")),
        (("features",), lambda w: w.features),
        (("evaluate", "--task", "W"), lambda w: w.evaluated("W")),
        (("compare-disorder",), lambda w: w.disorder),
        (("optimise-pulses", "--tracker", "none"), lambda w: w.pulses),
        (("report",), lambda w: w.reports),
    ],
    ids=lambda each: each[0] if isinstance(each, tuple) else "",
)
def test_the_second_ends_with_one_sentence(tmp_path, arguments, place):
    write_params(tmp_path, tiny_values())
    workspace = Workspace(tmp_path)
    with alone(workspace.lock(place(workspace)), f"`{place(workspace)}`"):
        ended = nmr(tmp_path, *arguments)
    assert (ended.code, ended.out) == (2, "")
    (sentence,) = ended.err.splitlines()
    assert sentence.startswith(f"Error: Another process is making `{place(workspace)}` (it holds `")
    assert not place(workspace).exists()
