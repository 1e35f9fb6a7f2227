"""`python -m nmr_platform` is the `nmr` command."""

from nmr_platform.cli.app import main

if __name__ == "__main__":
    main()
