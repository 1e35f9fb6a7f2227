"""DVC stage: how well any model could read the records of one data set (--kernel NAME)."""

from nmr_platform.cli.pipeline.ceiling import ceiling
from nmr_platform.cli.running import run

if __name__ == "__main__":
    run(ceiling)
