"""DVC stage: simulate the data set of one kernel (--kernel NAME)."""

from nmr_platform.cli.pipeline.generate import generate
from nmr_platform.cli.running import run

if __name__ == "__main__":
    run(generate)
