"""What `dvc repro` and the command line do: one function a stage, between files and the rest of the package."""

from nmr_platform.stages.compare_disorder import compare_disorder
from nmr_platform.stages.evaluate import evaluate
from nmr_platform.stages.features import extract_features, read_features
from nmr_platform.stages.optimise_pulses import help_to_optimise, optimise_preset, optimise_pulses
from nmr_platform.stages.published import compare_with_published
from nmr_platform.stages.pulse_files import write_sequence
from nmr_platform.stages.report import write_report
from nmr_platform.stages.reproduce import reproduce_version
from nmr_platform.stages.simulate import simulate_dataset
from nmr_platform.stages.sync import sync_tracking
from nmr_platform.stages.tune import help_to_tune, read_tuned, tune
from nmr_platform.workspace import Workspace

__all__ = [
    "Workspace",
    "compare_disorder",
    "compare_with_published",
    "evaluate",
    "extract_features",
    "help_to_optimise",
    "help_to_tune",
    "optimise_preset",
    "optimise_pulses",
    "read_features",
    "read_tuned",
    "reproduce_version",
    "simulate_dataset",
    "sync_tracking",
    "tune",
    "write_report",
    "write_sequence",
]
