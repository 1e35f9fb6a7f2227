"""DVC stage: train on fresh and on frozen disorder, test on both."""

from nmr_platform.cli.pipeline.compare_disorder import compare_disorder
from nmr_platform.cli.running import run

if __name__ == "__main__":
    run(compare_disorder)
