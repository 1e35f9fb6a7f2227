"""DVC stage: search for a better pulse sequence."""

from nmr_platform.cli.pipeline.optimise_pulses import optimise_pulses
from nmr_platform.cli.running import run

if __name__ == "__main__":
    run(optimise_pulses)
