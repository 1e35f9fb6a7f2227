"""DVC stage: search models for one task (--task NAME)."""

import sys

from nmr_platform.cli import main

if __name__ == "__main__":
    main(["tune", *sys.argv[1:]])
