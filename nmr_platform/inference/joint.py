"""What a predictor answers from a joint posterior."""

from itertools import combinations
from typing import Any

from nmr_platform.errors import ConfigurationError
from nmr_platform.learning import JointMixture, JointTask

__all__ = ["joint_answer"]


def joint_answer(task: JointTask, posterior: JointMixture, level: float) -> dict[str, Any]:
    """Columns of joint posteriors: means, central intervals, and correlations of each pair.

    Args:
        task: Names the targets.
        posterior: Of n curves, in the units of the targets.
        level: Probability that an interval holds the truth, between 0 and 1.

    Returns:
        Of each curve ``quantity`` and ``unit`` (those of all targets), ``prediction_<target>``, ``lower_<target>`` and
        ``upper_<target>`` of each target, ``correlation_<target>_<other>`` of their posterior errors, and ``level``.

    Raises:
        ConfigurationError: ``level`` is out of range.
    """
    if not 0.0 < level < 1.0:
        message = f"Argument `coverage` must lie between 0 and 1, but is {level}."
        raise ConfigurationError(message, key="coverage", value=level)
    mean, correlation, (lower, upper) = posterior.mean(), posterior.correlation(), posterior.interval(level)
    units = ", ".join(part.unit or "1" for part in task.parts.values())
    table: dict[str, Any] = {"quantity": ", ".join(task.targets), "unit": units}
    for k, target in enumerate(task.targets):
        ends = {"prediction": mean, "lower": lower, "upper": upper}
        table |= {f"{name}_{target}": values[:, k] for name, values in ends.items()}
    for (j, one), (k, other) in combinations(enumerate(task.targets), 2):
        table[f"correlation_{one}_{other}"] = correlation[:, j, k]
    return {**table, "level": level}
