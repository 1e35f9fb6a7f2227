"""What the report says about a task and its champion, and about a search for pulse sequences."""

from collections.abc import Mapping, Sequence
from typing import Any

from nmr_platform.learning import METRICS, Score, Standing, Task
from nmr_platform.plots import rounded

__all__ = [
    "POINTS",
    "PULSE_CAPTIONS",
    "TASK_CAPTIONS",
    "describe_pulses",
    "note_on_disorder",
    "note_on_point",
    "note_on_ranks",
    "notes_on",
]

TASK_CAPTIONS = {
    "parity": "Predicted against true values of the held-out curves, with prediction intervals.",
    "coverage": "How many prediction intervals hold the truth, in bins of W.",
    "corner": "The joint posterior of a typical held-out curve, and the truth.",
    "confusion": "Held-out curves by true and predicted kernel.",
    "confusion_by_w": "The same in bins of W, from weak to strong coupling.",
    "scores_by_exponent": "Which power laws are found: scores in bins of the exponent.",
    "reliability": "How often a class is true against the probability that it was given.",
    "importances": "Where in the record the champion looks, below the mean echo.",
    "shap": "What moves its predictions: mean absolute SHAP values, below the mean echo.",
    "shap_by_power": "The same for every bin and power of the polynomial features.",
    "learning_curve": "Score against the number of training curves.",
    "noise": "Score against receiver noise that is added to the held-out records.",
    "lattice": "Score on new curves of other lattices; dashed: on the held-out ones.",
}
"""Pictures of a champion that are shown, in this order, each with a sentence."""
PULSE_CAPTIONS = {
    "map": "Every sequence tried, by its score, over the two parameters that matter most.",
    "history": "The search in the order tried.",
    "sequence": "The best sequence found.",
    "echoes": "One curve's record under 90/180 and under the sequence found.",
    "verdict": "Gain over 90/180 on new curves, with 95 % intervals.",
}
"""Pictures of a search that are shown, in this order, each with a sentence."""
POINTS = {
    "learning_curve": ("n_train", "Fitted on {:g} training curves"),
    "noise": ("sigma", "With receiver noise of {:g} (ħ per spin) in each component"),
    "lattice": ("n_spins", "On new curves of lattices of {:g} spins"),
}
"""What a champion was tried on: the column of its table, and how a sentence about one row begins."""


def notes_on(task: Task, champion: Mapping[str, Any], nominal: float) -> list[str]:
    """How far the champion's uncertainties can be trusted, in sentences.

    Args:
        task: The task.
        champion: Its scores by name, each with ``value``, ``lower`` and ``upper``; errors in the task's unit.
        nominal: Share of the truth that its prediction intervals should hold, between 0 and 1.
    """
    if task.class_names:
        accuracy = champion["accuracy"]
        return [
            f"Champion: accuracy {accuracy['value']:.3f}, interval {accuracy['lower']:.3f} to {accuracy['upper']:.3f}; "
            f"calibrated probabilities with log loss {champion['log_loss']['value']:.3f}, Brier score "
            f"{champion['brier']['value']:.3f} and calibration error {champion['ece']['value']:.1%}."
        ]
    if "" not in task.parts:
        held = ", ".join(
            f"{part.target} {champion[f'coverage{ending}']['value']:.1%} (R2 {champion[f'r2{ending}']['value']:.3f})"
            for ending, part in task.parts.items()
        )
        return [
            f"Champion: its central {100 * nominal:g}% intervals hold of the held-out curves {held}; energy score "
            f"{champion['energy']['value']:.3f}, {champion['prior_energy']['value']:.3f} without a record."
        ]
    coverage, width, error = champion["coverage"], champion["width"], champion["rmse"]
    return [
        f"Champion: its {100 * nominal:g}% prediction intervals hold {coverage['value']:.1%} of the held-out curves "
        f"(interval {coverage['lower']:.1%} to {coverage['upper']:.1%}) and are {width['value']:.4f} {task.unit} wide "
        f"on average; root mean square error {error['value']:.4f} {task.unit}."
    ]


def note_on_ranks(standing: Sequence[Standing], confidence: float) -> str:
    """What the ranks of a score table say, in a sentence.

    Args:
        standing: Of all models, the largest score first.
        confidence: Level of the intervals that hold for all pairs together, between 0 and 1.
    """
    if len(standing) == 1:
        return f"{standing[0].model} is the only model, so that there is nothing to rank."
    leader, tied = standing[0].model, [each.model for each in standing[1:] if each.behind.lower <= 0]
    among = f"held-out curves, {100 * confidence:g}% intervals of all {len(standing) * (len(standing) - 1) // 2} pairs"
    if not tied:
        return f"{leader} is better than every other model beyond doubt ({among} together)."
    if len(tied) == len(standing) - 1:
        return f"No model can be told apart from the leader, {leader} ({among} together)."
    return f"{leader} leads; it cannot be told apart from {', '.join(tied)} ({among} together)."


def note_on_point(beginning: str, metric: str, there: Score, own: Score) -> str:
    """What a table of one row says, which is no picture.

    Args:
        beginning: Of the sentence.
        metric: Name of the score.
        there: The score of that row.
        own: The champion's score on the held-out curves as they are.
    """
    if there.upper < own.lower:
        outcome = "lower than"
    elif there.lower > own.upper:
        outcome = "higher than"
    else:
        outcome = "within the intervals the same as"
    return (
        f"{beginning}, {metric} is {there.value:.3f} ({there.lower:.3f} to {there.upper:.3f}), {outcome} on the "
        f"held-out curves as they are ({own.value:.3f})."
    )


def note_on_disorder(rows: Sequence[Mapping[str, Any]]) -> str:
    """Which scores of models that know one realisation fall on others, in a sentence.

    Args:
        rows: Of the comparison of fresh with frozen disorder.
    """
    by_pair = {(row["task"], row["trained_on"], row["tested_on"]): row for row in rows}
    falls: list[str] = []
    stays: list[str] = []
    for task in dict.fromkeys(row["task"] for row in rows):
        own, fresh = (by_pair[task, "frozen", tested] for tested in ("frozen", "fresh"))
        told = f"{task} ({own['value']:.2f} there, {fresh['value']:.2f} on fresh)"
        (falls if fresh["upper"] < own["lower"] else stays).append(told)
    said = [
        f"{words} {', '.join(names)}"
        for words, names in (
            ("scores lower on fresh disorder than on its own, beyond both intervals, for", falls),
            ("does not, as far as the intervals show, for", stays),
        )
        if names
    ]
    if not falls:
        said = [f"scores on fresh disorder as on its own, as far as the intervals show, for {', '.join(stays)}"]
    return f"A model that was trained on one frozen realisation {'; it '.join(said)}."


def describe_pulses(summary: Mapping[str, Any]) -> dict[str, Any]:
    """The outcome of a search in sentences and a small table.

    Args:
        summary: What the search wrote into ``summary.json``.
    """
    target = summary["target"]
    base, best = (rounded(summary[each]["sequence"]) for each in ("baseline", "best"))
    chosen = summary["verdict"][target]
    outcome = (
        "is better than"
        if chosen["lower"] > 0
        else "cannot be told apart from"
        if chosen["upper"] >= 0
        else "is worse than"
    )
    scores = {part: [each[part] for each in summary["verdict"].values()] for part in ("baseline", "best")}
    return {
        "verdict": (
            f"Of {summary['n_trials']} sequences tried, {best} is the best by {summary['objective']}. "
            f"With models tuned on {summary['n_curves'] - summary['n_test']} other curves, on {summary['n_test']} new "
            f"curves it {outcome} 90/180: {METRICS[chosen['metric']]} of {target} {chosen['best']:.3f} against "
            f"{chosen['baseline']:.3f}, gain {chosen['lower']:+.3f} to {chosen['upper']:+.3f} (95 % interval, paired)."
        ),
        "titles": [f"{METRICS[each['metric']]} of {name}" for name, each in summary["verdict"].items()],
        "rows": [
            {"name": "90/180", "sequence": base, "scores": scores["baseline"]},
            {"name": "best found", "sequence": best, "scores": scores["best"]},
        ],
        "caution": (
            f"During the search, on the curves it was chosen by, the best scored {summary['search_score']['best']:.3f} "
            f"and 90/180 {summary['search_score']['baseline']:.3f}."
        ),
    }
