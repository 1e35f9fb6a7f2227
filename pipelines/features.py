"""DVC stage: extract the feature tables."""

import sys

from nmr_platform.cli import main

if __name__ == "__main__":
    main(["features", *sys.argv[1:]])
