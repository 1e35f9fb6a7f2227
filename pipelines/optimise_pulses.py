"""DVC stage: search for a better pulse sequence."""

import sys

from nmr_platform.cli import main

if __name__ == "__main__":
    main(["optimise-pulses", *sys.argv[1:]])
