"""What each section of the report says, from what the stages found."""

from collections.abc import Mapping, Sequence
from typing import Any

from nmr_platform.learning import METRICS
from nmr_platform.plots import rounded
from nmr_platform.reporting.ceilings import Ceilings
from nmr_platform.reporting.designed import Designed
from nmr_platform.reporting.page import Cell, Figure, Section, table
from nmr_platform.reporting.published import SOURCE, ComparisonRow, published_score
from nmr_platform.reporting.wording import describe_pulses, note_on_disorder

__all__ = [
    "CHAMPION",
    "ceilings_section",
    "data_section",
    "designed_section",
    "disorder_section",
    "learning_section",
    "published_section",
    "pulses_section",
    "score_rows",
]


CHAMPION = " (champion)"
"""What follows the family of the champion in a score table."""


def designed_section(designed: Designed) -> Section:
    """What one echo tells beside what a designed measurement tells."""
    titles = ["question", "score", "one echo", "designed measurement", "gain", "curves (training + held out)"]
    return Section(
        "designed",
        "One echo or a designed measurement",
        brief=rounded(designed.designed),
        texts=[
            designed.verdict,
            f"One echo: {rounded(designed.first)}. Designed: {rounded(designed.designed)}. Both learnt from the same "
            "samples, and are scored on the same held-out ones, whose disorder neither has seen; intervals of gains "
            "are paired.",
        ],
        table=table(
            titles,
            [
                [
                    f"{row.task}: {row.question}",
                    row.metric,
                    row.first,
                    row.designed,
                    f"{row.gain.lower:+.3f} to {row.gain.upper:+.3f}",
                    f"{row.n_train} + {row.n_test}",
                ]
                for row in designed.rows
            ],
        ),
    )


def ceilings_section(ceilings: Ceilings) -> Section:
    """What was learnt beside what the records allow."""
    titles = ["question", "data set", "R2 of the champion", "ceiling", "coverage of its intervals", "held-out curves"]
    return Section(
        "ceilings",
        "What was learnt, and what the records allow",
        texts=[
            ceilings.verdict,
            "The ceiling is the Cramér-Rao bound with the prior's knowledge, for a reader who knows the kernel and "
            "faces disorder and receiver noise alone.",
        ],
        table=table(
            titles,
            [
                [
                    row.task,
                    row.dataset,
                    row.learnt,
                    f"{row.ceiling:.3f} ± {row.error:.3f}",
                    row.coverage,
                    row.learnt.n,
                ]
                for row in ceilings.rows
            ],
        ),
    )


def data_section(rows: Sequence[Mapping[str, Any]], figures: Sequence[Figure]) -> Section:
    """The data sets.

    Args:
        rows: Facts about each: ``kernel``, ``n_curves``, ``lattice``, ``disorder``, ``w_range``, ``acceptance``,
            ``digest``.
        figures: Pictures of their curves.
    """
    titles = ["kernel", "curves", "lattice", "disorder", "W (MHz)", "accepted draws", "digest"]
    keys = ["kernel", "n_curves", "lattice", "disorder", "w_range", "acceptance"]
    told = [[*(row[key] for key in keys), f"`{row['digest']}`"] for row in rows]
    curves = sum(row["n_curves"] for row in rows)
    return Section(
        "data", "Data", brief=f"{curves} curves of {len(rows)} kernels", table=table(titles, told), figures=figures
    )


def learning_section(tasks: Sequence[Section]) -> Section:
    """Every task.

    Args:
        tasks: One section each.
    """
    return Section(
        "learning",
        "Learning",
        texts=[
            "Scores are on held-out curves whose disorder no training curve has, unless a task says that it is frozen, "
            "with a bootstrap confidence interval over those curves. The champion is chosen by cross-validation on the "
            "training curves alone. A rank is 1 and the number of models that beat this one beyond doubt, by paired "
            f"differences on the same curves. Published scores are of other curves ({SOURCE}) and stand here as "
            "orientation, not as a race on equal terms."
        ],
        parts=tasks,
    )


def score_rows(task: str, metric: str, scores: Mapping[str, Any], ranks: Mapping[str, int]) -> list[list[Cell]]:
    """Lines of one task's score table from what `evaluate` wrote, best cross-validated score first.

    Args:
        task: Name of the task.
        metric: Name of the score, for instance ``r2``.
        scores: What `evaluate` wrote for the task: its ``models`` and the label of the ``champion``.
        ranks: The rank of every model by its label, see `nmr_platform.learning.Standing`.

    Returns:
        Family, features, score by cross-validation, held-out score, its interval, rank, and the published score of
        the same family and kind of features.
    """
    rows: list[list[Cell]] = []
    for label, model in sorted(scores["models"].items(), key=lambda item: -item[1]["cv_mean"]):
        family, _, features = label.partition("/")
        main = model["scores"][metric]
        rows.append(
            [
                family + (CHAMPION if label == scores["champion"] else ""),
                features,
                float(model["cv_mean"]),
                float(main["value"]),
                f"{main['lower']:.3f} to {main['upper']:.3f}",
                ranks[label],
                published_score(task, family, features),
            ]
        )
    return rows


def pulses_section(summary: Mapping[str, Any], figures: Sequence[Figure]) -> Section:
    """What a search for pulse sequences found.

    Args:
        summary: What the search wrote into ``summary.json``.
        figures: Its pictures.
    """
    told = describe_pulses(summary)
    rows = [[row["name"], row["sequence"], *row["scores"]] for row in told["rows"]]
    return Section(
        "pulses",
        "Pulses",
        brief=f"{summary['n_trials']} sequences tried",
        texts=[told["verdict"]],
        table=table(["", "sequence", *told["titles"]], rows),
        notes=[told["caution"]],
        figures=figures,
    )


def disorder_section(rows: Sequence[Mapping[str, Any]]) -> Section:
    """Models trained and tested on fresh or frozen disorder.

    Args:
        rows: Of the comparison, see `nmr_platform.stages.compare_disorder`.
    """
    titles = ["target", "trained on", "tested on", "R2", "interval", "training curves", "held-out curves"]
    return Section(
        "disorder",
        "Frozen or fresh disorder",
        texts=[
            "Trained on curves of one frozen realisation of the disorder, or on curves with a fresh one each, and "
            "tested on other curves of both kinds.",
            note_on_disorder(rows),
        ],
        table=table(
            titles,
            [
                [
                    row["task"],
                    row["trained_on"],
                    row["tested_on"],
                    float(row["value"]),
                    f"{row['lower']:.3f} to {row['upper']:.3f}",
                    row["n_train"],
                    row["n_test"],
                ]
                for row in rows
            ],
        ),
    )


def published_section(comparison: Sequence[ComparisonRow]) -> Section:
    """Every published number beside ours.

    Args:
        comparison: The rows.
    """
    titles = ["task", "recipe", "score", "published", "ours", "model", "curves (training + held out)", "as published"]
    found = [row for row in comparison if row.score is not None]
    rows: list[list[Cell]] = [
        [
            row.item.task,
            row.item.recipe,
            METRICS[row.item.metric],
            str(row.item.value),
            row.remark or f"{row.score:.3f} ({row.lower:.3f} to {row.upper:.3f})",
            row.model,
            f"{row.n_train} + {row.n_test}" if row in found else "",
            row.item.note,
        ]
        for row in comparison
    ]
    return Section(
        "published",
        "Published scores",
        brief=f"{len(found)} of {len(comparison)} have a counterpart in this study",
        texts=[f"Source: {SOURCE}. The last column says what was found there, or about it since, and not here."],
        table=table(titles, rows),
    )
