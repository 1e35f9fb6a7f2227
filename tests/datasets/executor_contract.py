"""What every executor must do; a test class inherits it and gives an `executor` fixture."""

import pytest

from nmr_platform.datasets.generation.shards import SHARD_SIZE, Shards, ShardTask, make_shard, shards_of
from nmr_platform.errors import DataError
from nmr_platform.progress import no_progress
from tests.datasets.recipes import small_prior, small_recipe, small_values
from tests.datasets.trees import digest_of_tree

__all__ = ["ExecutorContract", "n_shards", "tasks_of"]

N_SHARDS = 5


def tasks_of(recipe, folder):
    folder.mkdir(exist_ok=True)
    Shards.opened(folder, recipe)
    return [ShardTask(recipe, recipe.curve_digest, shard, folder) for shard in shards_of(recipe.n_curves)]


def n_shards(folder):
    """Shards that have been begun or finished anywhere below a folder."""
    return sum(path.name.isdigit() for path in folder.rglob("curve/c/*"))


class ExecutorContract:
    """Shards made by an executor are those of a plain loop, whatever happens on the way."""

    @pytest.fixture
    def recipe(self):
        """Curves of two records."""
        shared = {key: value for key, value in small_values()["experiment"].items() if key != "sequence"}
        sequences = {"short": {"kind": "hahn", "tau": 1.0}, "long": {"kind": "hahn", "tau": 2.0}}
        return small_recipe(n_curves=N_SHARDS * SHARD_SIZE - 20, experiment=shared | {"sequences": sequences})

    def test_every_shard_is_made_once_with_the_bits_of_a_plain_loop(self, executor, recipe, tmp_path):
        counts = []
        reports = list(executor.run(tasks_of(recipe, tmp_path / "its"), counts.append))
        assert sorted(report.shard for report in reports) == shards_of(recipe.n_curves)
        assert sum(report.n_simulated for report in reports) == sum(counts) == recipe.n_curves
        for task in tasks_of(recipe, tmp_path / "plain"):
            make_shard(task)
        assert digest_of_tree(tmp_path / "its") == digest_of_tree(tmp_path / "plain")

    def test_a_poisoned_curve_fails_alone(self, executor, tmp_path):
        prior = small_prior(coupling__alpha_z={"kind": "choice", "values": [*[0.001] * 9, 1e9]})
        recipe = small_recipe(n_curves=2 * SHARD_SIZE, prior=prior, constraints={})
        reports = list(executor.run(tasks_of(recipe, tmp_path), no_progress))
        texts = [text for report in reports for text in Shards(tmp_path).texts(report.shard)]
        failed = {text["failure"]["curve"] for text in texts if "failure" in text}
        assert failed == {i for i in range(recipe.n_curves) if recipe.curve(i).drawn["coupling.alpha_z"] == 1e9}
        assert sum(report.n_failed for report in reports) == len(failed) > 0
        assert sum("coordinates" in text for text in texts) == recipe.n_curves - len(failed)

    def test_an_error_that_no_curve_is_to_blame_for_ends_the_run_and_keeps_what_is_finished(
        self, executor, recipe, tmp_path
    ):
        tasks = tasks_of(recipe, tmp_path)
        tasks[-1] = tasks[-1]._replace(digest="of another engine")
        finished = []
        with pytest.raises(DataError, match=r"Worker and sender must have the same version of nmr_platform"):
            finished.extend(executor.run(tasks, no_progress))
        for task in tasks[:-1]:
            assert sum(map(bool, Shards(tmp_path).texts(task.shard))) in {0, SHARD_SIZE}

    def test_who_stops_listening_stops_the_work(self, executor, tmp_path):
        recipe = small_recipe(n_curves=2000 * SHARD_SIZE)
        reports = executor.run(tasks_of(recipe, tmp_path), no_progress)
        next(reports)
        reports.close()
        assert n_shards(tmp_path) < 1000

    def test_nothing_to_do_is_done_at_once(self, executor):
        assert list(executor.run([], no_progress)) == []
