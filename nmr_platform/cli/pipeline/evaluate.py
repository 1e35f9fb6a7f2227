"""`nmr evaluate`, for one task or for all."""

from pathlib import Path
from typing import TYPE_CHECKING

from nmr_platform.cli.options import (
    DesignedOption,
    JsonOption,
    ParamsOption,
    TaskOption,
    TrackerKind,
    TrackerOption,
    say,
)
from nmr_platform.cli.running import making, opened, run
from nmr_platform.cli.tasks import AtOnceOption, BoardOption, Said, asked, cores, done
from nmr_platform.designed import designed_name

if TYPE_CHECKING:
    from nmr_platform.progress import Bar

__all__ = ["evaluate"]


def evaluate(
    task: TaskOption = "",
    params: ParamsOption = Path("params.yaml"),
    designed: DesignedOption = False,
    tracker: TrackerOption = TrackerKind.MLFLOW,
    at_once: AtOnceOption = None,
    board: BoardOption = None,
    as_json: JsonOption = False,
) -> None:
    """Score the tuned models of one task, or of all without `--task`, on held-out curves; draw and register them.

    Example: `nmr evaluate --task kernel`
    """
    tasks = [task] if task else asked(params, designed=designed)
    at_once = min(len(tasks), at_once or cores())

    def one(name: str, bar: "Bar") -> Said:
        from nmr_platform.stages.evaluate import EvaluateParams  # noqa: PLC0415
        from nmr_platform.stages.evaluate import evaluate as look  # noqa: PLC0415
        from nmr_platform.tracking import make_tracker  # noqa: PLC0415

        read, workspace = opened(params, EvaluateParams, designed=designed)
        recorder, shown_as = make_tracker(tracker, root=params.parent), designed_name(name) if designed else name
        read.task(shown_as)
        with making(workspace, workspace.evaluated(shown_as)):
            result = look(read, workspace, shown_as, recorder, workers=at_once, bar=bar)
        champion, score = result.champion.study.label, result.champion.scores[result.task.metric]
        return Said(
            f"{shown_as}: {champion} scores {result.task.metric} {score.value:.3f} [{score.lower:.3f}, "
            f"{score.upper:.3f}] on {result.n_test} held-out curves ({result.disorder} disorder).",
            {"task": shown_as, "champion": champion, **vars(score)},
        )

    options = ["--params", str(params), "--tracker", tracker.value, *(["--designed"] if designed else [])]
    for said in done("evaluate", tasks, one, options, at_once, board):
        say(said.sentence, said.record, as_json=as_json)


if __name__ == "__main__":
    run(evaluate)
