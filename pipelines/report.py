"""DVC stage: write the report."""

import sys

from nmr_platform.cli import main

if __name__ == "__main__":
    main(["report", *sys.argv[1:]])
