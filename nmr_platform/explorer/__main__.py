"""The page's own process: `python -m nmr_platform.explorer PORT JSON`, which `nmr explore` starts."""

import json
import sys

from nmr_platform.explorer.opening import Opening
from nmr_platform.explorer.serving import main

if __name__ == "__main__":
    main(int(sys.argv[1]), Opening(**json.loads(sys.argv[2])))
