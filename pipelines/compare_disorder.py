"""DVC stage: train on fresh and on frozen disorder, test on both."""

import sys

from nmr_platform.cli import main

if __name__ == "__main__":
    main(["compare-disorder", *sys.argv[1:]])
