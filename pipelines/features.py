"""DVC stage: extract the feature tables."""

from nmr_platform.cli.pipeline.features import features
from nmr_platform.cli.running import run

if __name__ == "__main__":
    run(features)
