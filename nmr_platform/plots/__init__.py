"""Every figure of the platform: pure functions from data to a matplotlib `Figure`."""

from nmr_platform.plots.confusion import plot_confusion, plot_confusion_by_bin
from nmr_platform.plots.convergence import plot_convergence
from nmr_platform.plots.curves import plot_coverage_by_bin, plot_score_against
from nmr_platform.plots.echoes import plot_echoes, plot_gallery
from nmr_platform.plots.importances import plot_importances_over_echo, plot_top_importances
from nmr_platform.plots.parity import plot_parity
from nmr_platform.plots.polynomial import plot_polynomial_bars
from nmr_platform.plots.pulse_map import plot_pulse_map, plot_search_history
from nmr_platform.plots.pulse_results import plot_echo_comparison, plot_pareto, plot_phase_story, plot_verdict
from nmr_platform.plots.reliability import plot_reliability
from nmr_platform.plots.scores import plot_scores
from nmr_platform.plots.sequence import plot_sequence
from nmr_platform.plots.style import save
from nmr_platform.plots.twins import plot_twins

__all__ = [
    "plot_confusion",
    "plot_confusion_by_bin",
    "plot_convergence",
    "plot_coverage_by_bin",
    "plot_echo_comparison",
    "plot_echoes",
    "plot_gallery",
    "plot_importances_over_echo",
    "plot_pareto",
    "plot_parity",
    "plot_phase_story",
    "plot_polynomial_bars",
    "plot_pulse_map",
    "plot_reliability",
    "plot_score_against",
    "plot_scores",
    "plot_search_history",
    "plot_sequence",
    "plot_top_importances",
    "plot_twins",
    "plot_verdict",
    "save",
]
