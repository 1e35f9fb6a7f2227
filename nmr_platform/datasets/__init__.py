"""Data sets: priors and presets, recipes, resumable generation by any executor, and the store."""

from nmr_platform.datasets.curves import Failure, simulate_curves
from nmr_platform.datasets.distributions import (
    Choice,
    Constant,
    Distribution,
    Expression,
    LogUniform,
    Range,
    TruncatedNormal,
    Uniform,
)
from nmr_platform.datasets.dvc_digest import dvc_digest
from nmr_platform.datasets.executors import Executor, ExecutorSettings, ThreadsSettings, make_executor, parse_executor
from nmr_platform.datasets.generate import Generated, generate
from nmr_platform.datasets.labels import labels_of
from nmr_platform.datasets.presets import PRESETS, read_preset
from nmr_platform.datasets.recipe import Curve, Recipe
from nmr_platform.datasets.settings import DataSettings, KernelSettings
from nmr_platform.datasets.store import FORMAT_VERSION, load, publish, recipe_of
from nmr_platform.datasets.sweeps import Sweep
from nmr_platform.datasets.verify import Verified, repair, verify
from nmr_platform.datasets.watching import BarWatcher, JsonWatcher, Watcher

__all__ = [
    "FORMAT_VERSION",
    "PRESETS",
    "BarWatcher",
    "Choice",
    "Constant",
    "Curve",
    "DataSettings",
    "Distribution",
    "Executor",
    "ExecutorSettings",
    "Expression",
    "Failure",
    "Generated",
    "JsonWatcher",
    "KernelSettings",
    "LogUniform",
    "Range",
    "Recipe",
    "Sweep",
    "ThreadsSettings",
    "TruncatedNormal",
    "Uniform",
    "Verified",
    "Watcher",
    "dvc_digest",
    "generate",
    "labels_of",
    "load",
    "make_executor",
    "parse_executor",
    "publish",
    "read_preset",
    "recipe_of",
    "repair",
    "simulate_curves",
    "verify",
]
