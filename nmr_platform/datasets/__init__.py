"""Data sets: what to draw (recipes and presets), resumable generation by any executor, the store, and its integrity.

`Recipe` says what; `generate` makes it; `load` opens it; `verify` and `repair` look after it; `quantity` says what a
number in it means.
"""

from nmr_platform.datasets.generation.curves import coordinates_of, simulate_curves
from nmr_platform.datasets.generation.executors import (
    Executor,
    ExecutorSettings,
    ThreadsSettings,
    make_executor,
    parse_executor,
)
from nmr_platform.datasets.generation.generate import Generated, generate
from nmr_platform.datasets.generation.progress import BarWatcher, JsonWatcher, Watcher
from nmr_platform.datasets.integrity import n_verified, repair, verify
from nmr_platform.datasets.presets import PRESETS, read_preset
from nmr_platform.datasets.quantities import QUANTITIES, Quantity, attributes_of, quantities_of, quantity
from nmr_platform.datasets.recipe.distributions import (
    Choice,
    Constant,
    Distribution,
    Expression,
    LogUniform,
    Range,
    TruncatedNormal,
    Uniform,
)
from nmr_platform.datasets.recipe.expressions import formula
from nmr_platform.datasets.recipe.prior import numbers_in, with_values
from nmr_platform.datasets.recipe.recipe import Curve, Recipe
from nmr_platform.datasets.recipe.settings import DataSettings
from nmr_platform.datasets.recipe.sweeps import Sweep
from nmr_platform.datasets.recorded import Recorded, Reference, Stretch, stretches_of, unrecorded
from nmr_platform.datasets.store import (
    by_name,
    dvc_digest,
    labels_of,
    load,
    load_records,
    recipe_of,
)
from nmr_platform.datasets.writing import check_target, publish

__all__ = [
    "PRESETS",
    "QUANTITIES",
    "BarWatcher",
    "Choice",
    "Constant",
    "Curve",
    "DataSettings",
    "Distribution",
    "Executor",
    "ExecutorSettings",
    "Expression",
    "Generated",
    "JsonWatcher",
    "LogUniform",
    "Quantity",
    "Range",
    "Recipe",
    "Recorded",
    "Reference",
    "Stretch",
    "Sweep",
    "ThreadsSettings",
    "TruncatedNormal",
    "Uniform",
    "Watcher",
    "attributes_of",
    "by_name",
    "check_target",
    "coordinates_of",
    "dvc_digest",
    "formula",
    "generate",
    "labels_of",
    "load",
    "load_records",
    "make_executor",
    "n_verified",
    "numbers_in",
    "parse_executor",
    "publish",
    "quantities_of",
    "quantity",
    "read_preset",
    "recipe_of",
    "repair",
    "simulate_curves",
    "stretches_of",
    "unrecorded",
    "verify",
    "with_values",
]
