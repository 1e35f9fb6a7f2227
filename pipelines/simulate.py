"""DVC stage: simulate the data set of one kernel (--kernel NAME)."""

import sys

from nmr_platform.cli import main

if __name__ == "__main__":
    main(["generate", *sys.argv[1:]])
