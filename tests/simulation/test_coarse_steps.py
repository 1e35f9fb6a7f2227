"""Steps too coarse for the motion are warned of once, refused when hopeless, and never end in silent nonsense."""

import re
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from nmr_platform import ConfigurationError, NmrPlatformError, simulate
from nmr_platform.cli.running import run
from nmr_platform.simulation import INTEGRATORS, CoarseStepWarning
from tests.builders import UNIT_STEP, delay, experiment, pulse, shaped
from tests.simulation.systems import UNCOUPLED

SHORT = {"kind": "custom", "elements": [pulse(90), delay(4)]}


LONG_STEP = 8 * UNIT_STEP


def driven(amplitude, duration):
    return {"kind": "custom", "elements": [shaped((duration, amplitude, 0.0)), delay(4)]}


COARSE = {
    "offsets": ({"sequence": SHORT, "coupling": UNCOUPLED}, np.full((4, 4), 1.2), "1.2"),
    "a single offset": ({"sequence": SHORT, "coupling": UNCOUPLED}, np.pad([[-2.5]], ((0, 3), (0, 3))), "2.5"),
    # 15 neighbours with spins of 1/2 make a field of 7.5.
    "coupling": (
        {"sequence": SHORT, "kernel": {"kind": "uniform"}, "coupling": UNCOUPLED | {"alpha_z": 0.2}},
        0,
        "1.5",
    ),
    "step": (
        {
            "sequence": {"kind": "custom", "elements": [pulse(90), delay(4, LONG_STEP)]},
            "step": LONG_STEP,
            "coupling": UNCOUPLED,
        },
        np.full((4, 4), 0.2),
        "1.6",
    ),
    "drive": ({"sequence": driven(1.3, 2.0), "coupling": UNCOUPLED}, 0, "1.3"),
    "drive of either sign": ({"sequence": driven(-1.3, 2.0), "coupling": UNCOUPLED}, 0, "1.3"),
    "strong drive": ({"sequence": driven(0.9, 2.0), "coupling": UNCOUPLED, "drive": {"calibration": -1.5}}, 0, "1.3"),
}


@pytest.mark.parametrize("integrator", INTEGRATORS)
@pytest.mark.parametrize("case", COARSE)
def test_a_step_that_turns_a_spin_by_more_than_a_radian_is_warned_of_with_the_angle(case, integrator):
    changes, offsets, angle = COARSE[case]
    offsets = np.broadcast_to(offsets, (4, 4))
    match = rf"^A spin may turn by {re.escape(angle)} rad in a step of [01]\.\d+ us;"
    with pytest.warns(CoarseStepWarning, match=match):
        simulate(experiment(**changes), offsets=offsets, integrator=integrator)


def test_every_record_is_warned_of_once_whatever_came_before_it_and_beside_it():
    changes, offsets, _ = COARSE["offsets"]
    with pytest.warns(CoarseStepWarning) as caught:
        for seed in range(3):
            simulate(experiment(**changes), offsets=offsets, seed=seed)
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda seed: simulate(experiment(**changes), offsets=offsets, seed=seed), range(4)))
    assert len(caught) == 7


@pytest.mark.filterwarnings("always::nmr_platform.simulation.CoarseStepWarning")
def test_a_command_says_it_once_however_many_records_are_coarse(capsys):
    changes, offsets, _ = COARSE["offsets"]

    def command():
        for angle in (1.0, 1.1, 1.2):
            simulate(experiment(**changes), offsets=angle * offsets)

    with pytest.raises(SystemExit, match=r"^0$"):
        run(command, [])
    assert capsys.readouterr().err.count("A spin may turn by") == 1


@pytest.mark.parametrize(
    ("changes", "largest"),
    [
        ({"sequence": SHORT, "coupling": UNCOUPLED}, 1.0),
        ({"sequence": SHORT, "kernel": {"kind": "uniform"}, "coupling": UNCOUPLED | {"alpha_z": 0.1}}, 0.2),
        ({"sequence": driven(0.7, 2.0), "coupling": UNCOUPLED}, 0.25),
    ],
)
def test_finer_steps_go_without_a_warning(changes, largest):
    simulate(experiment(**changes), offsets=np.full((4, 4), largest))


def test_the_strongest_curve_of_the_papers_figures_is_not_taken_for_coarse():
    # Few of the integrated spins weigh much: the field is that of their weights' sum, not of as many heaviest spins.
    simulate(
        experiment(
            lattice={"shape": [20, 20]},
            kernel={"kind": "uniform"},
            coupling=UNCOUPLED | {"alpha_z": 0.5},
            line={"fwhm": 0.05, "bandwidth": 0.5, "weights": "integrated"},
            sequence=SHORT,
        )
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_literatures_data_sets_are_not_taken_for_coarse(dtype):
    for step, band in ((1.0, 1.0), (2.0, 0.5), (1.88495559, 0.5)):
        line = {"fwhm": 0.05, "bandwidth": band}
        simulate(experiment(coupling=UNCOUPLED, line=line, step=step * UNIT_STEP, sequence=SHORT), dtype=dtype)


@pytest.mark.parametrize("alpha", [1e9, 1e40, 1e300])
def test_couplings_too_large_for_the_step_are_refused(alpha):
    with pytest.raises(ConfigurationError, match=r"^Key `step` must be short against .* could turn by .* radians\.$"):
        simulate(experiment(coupling=UNCOUPLED | {"alpha_x": alpha}))


@pytest.mark.parametrize("changes", [{"sequence": driven(1e8, 2.0)}, {"sequence": SHORT, "step": 1e9}], ids=str)
def test_drives_and_offsets_too_large_for_the_step_are_refused(changes):
    if "step" in changes:
        changes = changes | {"sequence": {"kind": "custom", "elements": [pulse(90), delay(4, 1e9)]}}
    with pytest.raises(ConfigurationError, match=r"^Key `step` must be short against the periods"):
        simulate(experiment(**changes))


@pytest.mark.parametrize("integrator", INTEGRATORS)
def test_a_kernel_beyond_single_precision_is_refused_and_not_silently_nan(integrator):
    # In metres, 1/r^6 of neighbours is 1e57: finite in double precision only.
    changes = {
        "lattice": {"shape": [4, 4], "spacing": 3e-10},
        "kernel": {"kind": "power", "exponent": 6.0},
        "coupling": UNCOUPLED | {"alpha_z": 1e-59},
    }
    with pytest.raises(NmrPlatformError, match="left the range of finite numbers"):
        simulate(experiment(**changes), integrator=integrator, dtype="float32")
    echo = simulate(experiment(**changes), integrator=integrator, dtype="float64")
    assert np.isfinite(echo.m).all()


def test_no_warning_of_any_kind_comes_from_ordinary_records():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        simulate(experiment(dissipation={"gamma_plus": 1.0, "gamma_z": 1e3}))
        simulate(experiment(dissipation={"gamma_minus": 1e300}))
