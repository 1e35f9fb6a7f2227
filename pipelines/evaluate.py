"""DVC stage: score the tuned models of one task on held-out curves (--task NAME)."""

from nmr_platform.cli.pipeline.evaluate import evaluate
from nmr_platform.cli.running import run

if __name__ == "__main__":
    run(evaluate)
