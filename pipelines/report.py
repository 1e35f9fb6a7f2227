"""DVC stage: write the report."""

from nmr_platform.cli.pipeline.report import report
from nmr_platform.cli.running import run

if __name__ == "__main__":
    run(report)
