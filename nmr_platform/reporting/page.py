"""The report: what it says, gathered from the results of the other stages, as a page and as Markdown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nmr_platform.pages import render
from nmr_platform.reporting.ceilings import Ceilings
from nmr_platform.reporting.designed import Designed
from nmr_platform.reporting.published import SOURCE, ComparisonRow, published_score

__all__ = ["Content", "Figure", "ScoreRow", "Section", "render_html", "render_markdown", "score_rows"]


@dataclass(frozen=True)
class ScoreRow:
    """One model's line in a score table.

    Attributes:
        family: Model family.
        features: Feature set.
        champion: Whether cross-validation chose it.
        cv: Cross-validated score on the training part.
        score: Held-out score.
        lower: Lower end of its confidence interval.
        upper: Upper end of its confidence interval.
        rank: 1 and how many of the other models beat it beyond doubt.
        published: The published score of the same family and kind of features, if there is one.
    """

    family: str
    features: str
    champion: bool
    cv: float
    score: float
    lower: float
    upper: float
    rank: int
    published: float | None


@dataclass(frozen=True)
class Figure:
    """A picture of the report.

    Attributes:
        path: Relative to the report.
        caption: One sentence.
    """

    path: str
    caption: str


@dataclass(frozen=True)
class Section:
    """One task.

    Attributes:
        name: Name of the task.
        question: What it asks, in words.
        metric: Name of the score.
        n_train: Training curves.
        n_test: Held-out curves.
        disorder: ``fresh`` or ``frozen``.
        rows: Score table, best cross-validated score first.
        notes: Sentences below the table.
        figures: Pictures of the champion.
    """

    name: str
    question: str
    metric: str
    n_train: int
    n_test: int
    disorder: str
    rows: Sequence[ScoreRow]
    notes: Sequence[str]
    figures: Sequence[Figure]


@dataclass(frozen=True)
class Content:
    """The whole report.

    Attributes:
        data: Facts about the data sets, one row a kernel.
        opening: Pictures of the curves.
        designed: What one echo tells beside what a designed measurement tells; None in a study without one.
        ceilings: What was learnt beside what the records allow; None in a study that does not ask for it.
        sections: One a task.
        pulses: What the pulse search found, flat; None in a study without one.
        pulse_figures: Its pictures.
        disorder: Scores of models trained and tested on fresh or frozen disorder, see `compare_disorder`.
        comparison: Every published number beside ours.
        source: Where they were published.
    """

    data: Sequence[Mapping[str, Any]]
    opening: Sequence[Figure]
    designed: Designed | None
    ceilings: Ceilings | None
    sections: Sequence[Section]
    pulses: Mapping[str, Any] | None
    pulse_figures: Sequence[Figure]
    disorder: Sequence[Mapping[str, Any]]
    comparison: Sequence[ComparisonRow]
    source: str = SOURCE


def score_rows(task: str, metric: str, scores: Mapping[str, Any], ranks: Mapping[str, int]) -> list[ScoreRow]:
    """Lines of one task's score table from what `evaluate` wrote, best cross-validated score first.

    Args:
        task: Name of the task.
        metric: Name of the score, for instance ``r2``.
        scores: What `evaluate` wrote for the task: its ``models`` and the label of the ``champion``.
        ranks: The rank of every model by its label, see `nmr_platform.learning.Standing`.
    """
    rows = []
    for label, model in scores["models"].items():
        family, _, features = label.partition("/")
        main = model["scores"][metric]
        rows.append(
            ScoreRow(
                family=family,
                features=features,
                champion=label == scores["champion"],
                cv=model["cv_mean"],
                score=main["value"],
                lower=main["lower"],
                upper=main["upper"],
                rank=ranks[label],
                published=published_score(task, family, features),
            )
        )
    return sorted(rows, key=lambda row: -row.cv)


def render_html(content: Content) -> str:
    """The report as one HTML page; its pictures lie beside it."""
    return _render("report.html.jinja", content)


def render_markdown(content: Content) -> str:
    """The report as Markdown."""
    return _render("report.md.jinja", content)


def _render(template: str, content: Content) -> str:
    filters = {"score": lambda value: f"{value:.3f}", "signed": lambda value: f"{value:+.3f}"}
    return render("nmr_platform.reporting", template, filters, content=content)
