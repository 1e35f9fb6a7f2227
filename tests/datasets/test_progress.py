import io
import json

import pytest
from rich.console import Console

from nmr_platform import progress
from nmr_platform.datasets import BarWatcher, JsonWatcher, generate
from nmr_platform.datasets.generation.shards import SHARD_SIZE
from nmr_platform.errors import DataError
from tests.datasets.recipes import small_prior, small_recipe


@pytest.fixture
def paths(tmp_path):
    return {"path": tmp_path / "set.zarr", "shard_folder": tmp_path / "shards"}


def test_events_tell_a_program_what_was_found_and_each_shard_with_its_rates(paths):
    generate(small_recipe(), **paths)
    lines = []
    generate(small_recipe(n_curves=3 * SHARD_SIZE), **paths, watcher=JsonWatcher(lines.append))
    first, *others = [json.loads(line) for line in lines]
    assert first["event"] == "begin"
    assert (first["curves"], first["found"]) == (150, 0)
    assert 0.3 < first["acceptance"] <= 1
    assert {event["event"] for event in others} == {"shard"}
    assert sorted(event["start"] for event in others) == [0, 50, 100]
    assert sum(event["simulated"] for event in others) == 144
    last = others[-1]
    assert last["done"] == 150
    assert last["seconds_left"] == 0
    spin_steps = 36 * small_recipe().example.n_samples
    assert last["spin_steps_per_s"] == pytest.approx(last["curves_per_s"] * spin_steps, rel=1e-2)


def test_events_name_damaged_shards_and_failed_curves(paths):
    prior = small_prior(kernel__xi={"kind": "choice", "values": [1.0, 2.0, 3.0, -1.0, 2.5]})
    recipe = small_recipe(prior=prior, constraints={}, n_curves=20)
    lines = []
    for _ in range(2):
        with pytest.raises(DataError, match="is not published"):
            generate(recipe, **paths, watcher=JsonWatcher(lines.append))
        (shard,) = paths["shard_folder"].rglob("m_z/c/0/0")
        shard.write_bytes(shard.read_bytes()[:-100])
    events = [json.loads(line) for line in lines]
    (damage,) = [event for event in events if event["event"] == "repair"]
    assert f"Chunk `{shard}` is damaged" in damage["reason"]
    failed = next(event for event in events if event["event"] == "failed")
    assert failed["parameters"]["kernel.xi"] == -1.0
    assert failed["seed"] == 7


def test_the_bar_shows_both_rates(paths, monkeypatch):
    shown = io.StringIO()
    monkeypatch.setattr(progress, "Console", lambda **_: Console(file=shown, width=160, force_terminal=True))
    generate(small_recipe(n_curves=3 * SHARD_SIZE), **paths, watcher=BarWatcher())
    text = shown.getvalue()
    assert "simulate small" in text
    assert "150/150" in text
    assert "curves/s" in text
    assert "spin-steps/s" in text


def test_the_bar_gives_way_to_the_sentence_when_the_run_fails(paths, capsys):
    prior = small_prior(coupling__alpha_z={"kind": "constant", "value": 1e9})
    for _ in range(2):
        with pytest.raises(DataError, match="None of the 6 curves"):
            generate(small_recipe(prior=prior, constraints={}), **paths, watcher=BarWatcher())
    assert capsys.readouterr().err.count("simulate small") == 0
