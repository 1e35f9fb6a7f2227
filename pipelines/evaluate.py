"""DVC stage: score the tuned models of one task on held-out curves (--task NAME)."""

import sys

from nmr_platform.cli import main

if __name__ == "__main__":
    main(["evaluate", *sys.argv[1:]])
