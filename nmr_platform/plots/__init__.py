"""Every figure of the platform: pure functions from data to a matplotlib `Figure`."""

from nmr_platform.plots.classes import plot_confusion, plot_confusion_by_bin, plot_reliability
from nmr_platform.plots.echoes import plot_band, plot_decay, plot_echoes, plot_records
from nmr_platform.plots.importances import (
    plot_importances_beside,
    plot_importances_over_echo,
    plot_polynomial_bars,
    plot_top_importances,
)
from nmr_platform.plots.posterior import plot_corner, plot_crps, plot_expected_coverage, plot_ranks
from nmr_platform.plots.pulse_search import (
    plot_echo_comparison,
    plot_pareto,
    plot_pulse_map,
    plot_search_history,
    plot_verdict,
)
from nmr_platform.plots.scores import plot_coverage_by_bin, plot_parity, plot_score_against
from nmr_platform.plots.sequence import plot_sequence, plot_sequences
from nmr_platform.plots.spots import Picture, read_picture
from nmr_platform.plots.style import DPI, rounded, save

__all__ = [
    "DPI",
    "Picture",
    "plot_band",
    "plot_confusion",
    "plot_confusion_by_bin",
    "plot_corner",
    "plot_coverage_by_bin",
    "plot_crps",
    "plot_decay",
    "plot_echo_comparison",
    "plot_echoes",
    "plot_expected_coverage",
    "plot_importances_beside",
    "plot_importances_over_echo",
    "plot_pareto",
    "plot_parity",
    "plot_polynomial_bars",
    "plot_pulse_map",
    "plot_ranks",
    "plot_records",
    "plot_reliability",
    "plot_score_against",
    "plot_search_history",
    "plot_sequence",
    "plot_sequences",
    "plot_top_importances",
    "plot_verdict",
    "read_picture",
    "rounded",
    "save",
]
