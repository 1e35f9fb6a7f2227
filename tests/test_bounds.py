"""No key makes a process take all memory, or leave the folders of the project: a sentence names it first."""

import copy
import typing

import pytest
import yaml

from nmr_platform.config import Params, read_params
from nmr_platform.datasets import DataSettings
from nmr_platform.errors import ConfigurationError
from nmr_platform.features import FeatureSet
from nmr_platform.physics import Experiment
from nmr_platform.schema import schemas_in, validate
from tests.builders import experiment
from tests.stages.tiny import tiny_values


def changed(values, key, value):
    """A copy of plain data with another value at a dotted key."""
    values = copy.deepcopy(values)
    *path, last = key.split(".")
    holder = values
    for part in path:
        holder = holder[int(part) if isinstance(holder, list) else part]
    holder[last] = value
    return values


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("data.n_curves", 10**20),
        ("data.n_curves", 1e20),
        ("data.kernels.gaussian.seed", 2**200),
        ("data.experiment.lattice.shape", [10**6, 10**6]),
        ("data.experiment.sequence.tau", 1e12),
        ("data.experiment.step", 1e-300),
        ("split.seed", 2**32),
        ("tune.seed", 2**200),
        ("tune.n_jobs", 0),
        ("tune.n_jobs", 10**9),
        ("tune.n_trials", 10**9),
        ("tune.cv_folds", 10**9),
        ("tune.n_estimators", 10**9),
        ("evaluate.n_jobs", 0),
        ("evaluate.n_resamples", 10**12),
        ("evaluate.lattice_shapes", [[10**9, 10**9]]),
        ("pulse_search.shape", [10**9, 10**9]),
        ("pulse_search.n_curves", 10**9),
        ("pulse_search.seed", 2**200),
        ("executor", {"kind": "threads", "n": 10**9}),
    ],
)
def test_a_size_beyond_reason_is_refused_by_a_sentence_that_names_the_key(tmp_path, key, value):
    path = tmp_path / "params.yaml"
    path.write_text(yaml.safe_dump(changed(tiny_values(), key, value)))
    named = key.replace("data.kernels.gaussian.seed", "seed").rpartition(".")[2]
    with pytest.raises(ConfigurationError, match=rf"Key `(.*[`.])?{named}") as refused:
        read_params(path)
    assert len(str(refused.value)) < 1000


@pytest.mark.parametrize("name", ["../../evil", "..", "", ".hidden", "a/b", "/etc", "a b", "ä", "x" * 65, "-rf", "a\n"])
def test_a_name_that_leaves_its_folder_is_refused(tmp_path, name):
    values = tiny_values()
    values["tasks"][name] = values["tasks"]["W"]
    path = tmp_path / "params.yaml"
    path.write_text(yaml.safe_dump(values))
    with pytest.raises(ConfigurationError, match=r"Key `tasks\.[\s\S]*`: it must be a name of up to 64 letters"):
        read_params(path)
    data = changed(tiny_values()["data"], "kernels", {name: tiny_values()["data"]["kernels"]["gaussian"]})
    with pytest.raises(ConfigurationError, match=r"Key `kernels[\s\S]*must be"):
        validate(DataSettings, data)


def models():
    """Every model of the configuration."""
    found, waiting = set(), [Params, Experiment, *schemas_in(FeatureSet)]
    while waiting:
        model = waiting.pop()
        if model not in found:
            found.add(model)
            waiting += [each for field in model.model_fields.values() for each in schemas_in(field.annotation)]
    return sorted(found, key=lambda model: model.__qualname__)


def unbounded(annotation, metadata=()):
    """Whether a whole number of this type has no end."""
    if annotation is int:
        return not any(hasattr(each, bound) for each in metadata for bound in ("le", "lt"))
    if typing.get_origin(annotation) is typing.Annotated:
        inner, *more = typing.get_args(annotation)
        return unbounded(inner, [*metadata, *(m for each in more for m in getattr(each, "metadata", [each]))])
    return any(unbounded(each, metadata) for each in typing.get_args(annotation))


# Values of other keys, which are checked where they end up.
ELSEWHERE = {("Choice", "values"), ("Constant", "value"), ("Sweep", "crossed"), ("Sweep", "paired")}
# Bounded as a whole, by the number of sites.
TOGETHER = {("shape",)}


@pytest.mark.parametrize("model", models(), ids=lambda model: model.__qualname__)
def test_every_whole_number_of_the_configuration_has_an_upper_bound(model):
    endless = {
        (model.__name__, name)
        for name, field in model.model_fields.items()
        if unbounded(field.annotation, field.metadata) and (name,) not in TOGETHER
    }
    assert endless <= ELSEWHERE


@pytest.mark.parametrize(
    ("shape", "kind"), [([2**13, 2**12], "square"), ([2**9, 2**9, 2**9], "cubic"), ([2**25], "chain")]
)
def test_a_lattice_of_more_spins_than_a_workstation_holds_is_refused(shape, kind):
    values = experiment().model_dump(mode="json") | {"lattice": {"kind": kind, "shape": shape}}
    with pytest.raises(ConfigurationError, match=r"Key `lattice.shape` must make at most 16,777,216 pairs"):
        validate(Experiment, values)


def test_the_largest_lattice_and_the_longest_record_are_accepted():
    values = experiment().model_dump(mode="json")
    assert validate(Experiment, values | {"lattice": {"shape": [4096, 4096]}}).lattice.shape == (4096, 4096)
