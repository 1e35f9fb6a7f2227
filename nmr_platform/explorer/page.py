"""The words and tables of the page, as HTML."""

from collections.abc import Iterable, Mapping
from html import escape

from nmr_platform.explorer.overlay import Overlay
from nmr_platform.explorer.reading import Answer, Seen
from nmr_platform.physics import Measurement
from nmr_platform.simulation import Echo

__all__ = ["answers_of", "facts_of", "features_table", "refusal", "yaml_of"]

# Of the training curves, so few or fewer look as strange.
_RARE = 0.05
_MOST_ROWS = 400


def facts_of(
    measurement: Measurement, echoes: Mapping[str, Echo], overlays: Mapping[str, Overlay], seconds: float
) -> str:
    """What is known of the echo on the page.

    Args:
        measurement: What is on the page.
        echoes: Its records by name.
        overlays: Measured records, by the same names.
        seconds: What drawing it took.
    """
    experiment = measurement.first
    couplings, sum_k = measurement.coupling, experiment.kernel_sum
    facts = {
        "W": f"{experiment.kernel_integral:.4g} MHz",
        "X = α<sub>x</sub> Σ K": f"{couplings.alpha_x * sum_k:.4g} MHz",
        "Z = α<sub>z</sub> Σ K": f"{couplings.alpha_z * sum_k:.4g} MHz",
    }
    for name, echo in echoes.items():
        if echo.echo_indices:
            index = echo.echo_indices[-1]
            where = f"|M| at {echo.time[index]:.4g} µs" + (f", {escape(name)}" if name else "")
            facts[where] = f"{abs(echo.m[index]):.4f}"
    facts |= {f"rms to measured {escape(name)}".strip(): f"{each.rms:.4f}" for name, each in overlays.items()}
    facts["drawn in"] = f"{1e3 * seconds:.0f} ms"
    cells = "".join(f"<div><span>{name}</span><b>{value}</b></div>" for name, value in facts.items())
    sequences = "; ".join(
        f"{escape(name)}: {each.sequence}" if name else str(each.sequence)
        for name, each in measurement.experiments.items()
    )
    return f'<div class="facts">{cells}</div><p class="sequence">{sequences}</p>'


def answers_of(answers: Iterable[Answer]) -> str:
    """What models read from the echo, a card each, or what to do where there are none."""
    cards = "".join(_card(answer) for answer in answers)
    if not cards:
        return (
            '<p class="note">There is no champion here yet. <code>make run</code>, or <code>nmr tune</code> and '
            "<code>nmr evaluate</code> in a project, make some; start <code>nmr explore</code> in its folder.</p>"
        )
    return f'<div class="answers">{cards}</div>'


def features_table(seen: Seen) -> str:
    """Names, places and values of features."""
    rows = "".join(
        f"<tr><td>{escape(str(row.name))}</td><td>{row.start:.4g} to {row.stop:.4g} "
        f"{'µs' if row.axis == 'time' else 'MHz'}</td><td>{row.value:.4g}</td></tr>"
        for row in seen.table.head(_MOST_ROWS).itertuples(index=False)
    )
    more = len(seen.table) - _MOST_ROWS
    note = f'<p class="note">And {more} more.</p>' if more > 0 else ""
    return (
        f'<div class="scrolled"><table class="features"><thead><tr><th>feature</th><th>from</th><th>value</th></tr>'
        f"</thead><tbody>{rows}</tbody></table></div>{note}"
    )


def refusal(sentence: str) -> str:
    """Why something is not shown."""
    return f'<p class="refusal" role="alert">{escape(sentence)}</p>'


def yaml_of(text: str) -> str:
    """A file to copy: one click selects all of it."""
    return f'<pre class="yaml">{escape(text)}</pre>'


def _card(answer: Answer) -> str:
    lines = []
    # A warning says it of those that are unlike them.
    if answer.value is not None and answer.p_value > _RARE:
        lines.append(f"<small>like the training curves, p = {answer.p_value:.2g}</small>")
    if answer.note:
        lines.append(f'<small class="note">{escape(answer.note)}</small>')
    tone = "refused" if answer.value is None else "strange" if answer.p_value <= _RARE else "sound"
    return (
        f'<section class="answer {tone}"><div class="name">{escape(answer.task)}</div>'
        f"<p>{_value(answer)}</p>{_bars(answer)}{''.join(lines)}</section>"
    )


def _value(answer: Answer) -> str:
    if answer.value is None:
        return "not for this record"
    if isinstance(answer.value, str):
        return f"<b>{escape(answer.value)}</b>"
    text = f"<b>{answer.value:.4g}</b> {escape(answer.unit)}"
    if answer.lower is None or answer.upper is None or answer.level is None:
        return text
    return f"{text} <span>{answer.lower:.4g} to {answer.upper:.4g} ({100 * answer.level:.3g} %)</span>"


def _bars(answer: Answer) -> str:
    rows = "".join(
        f'<div><span>{escape(name)}</span><i style="width:{100 * share:.0f}%"></i><em>{share:.2f}</em></div>'
        for name, share in sorted(answer.probabilities.items(), key=lambda item: -item[1])
    )
    return f'<div class="bars">{rows}</div>' if rows else ""
