"""DVC stage: search models for one task (--task NAME)."""

from nmr_platform.cli.pipeline.tune import tune
from nmr_platform.cli.running import run

if __name__ == "__main__":
    run(tune)
