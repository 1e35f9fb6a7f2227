"""The published text directories, in both directions and as hostile as they come."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nmr_platform.errors import DataError
from nmr_platform.exchange import read_text, write_text
from nmr_platform.physics import Experiment
from nmr_platform.simulation import simulate
from tests.exchange.builders import REFERENCE, make_dataset

PARAMETERS = ["alpha_x", "alpha_y", "alpha_z", "xi", "exponent", "W", "X", "Z", "kernel_sum", "gamma_plus", "gamma_z"]

# The first rows of the published data set of August 2021, its 12 columns and its kernel integrals.
AUGUST = ((8.5e-5, 3.2e-5, 13.395668, 0.114080), (3.1e-5, 1.55e-4, 15.543847, 0.165097))


def published(folder: Path, *, delimiter=" ", columns=12, n_tau=6, dt=1.0, trailing=True, stencil=0):
    """Write a directory as the published programs would, by hand."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    end = delimiter if trailing else ""
    curves = rng.normal(size=(2, 2, 3 * n_tau))
    for name, rows in zip(("echos_r.txt", "echos_i.txt"), curves, strict=True):
        text = "\n".join(delimiter.join(f"{value:.6g}" for value in row) + end for row in rows)
        (folder / name).write_text(text + "\n")
    rows = []
    for alpha, alpha_z, xi, _ in AUGUST:
        gammas = ["0.0"] if columns == 12 else ["0.001", "0.002", "0.003"]
        phases = [] if columns == 12 else ["0", "1"]
        start = [str(alpha), str(alpha), str(alpha_z), str(xi), "2.0"]
        rows.append(
            delimiter.join([*start, *gammas, str(stencil), "1.0", "0", "0", "1.57079633", "3.14159265", *phases])
        )
    (folder / "echo_params.txt").write_text("\n".join(row + end for row in rows) + "\n")
    (folder / "w_list.txt").write_text("".join(f"{row[3]}\n" for row in AUGUST))
    tau = (n_tau + 0.3) * dt / (2 * np.pi * 1e6)
    (folder / "sim_params.txt").write_text(f"100 100 {dt} {tau:.8g} 0.025\n")
    return curves[0] + 1j * curves[1]


@pytest.mark.parametrize("columns", [12, 16])
@pytest.mark.parametrize("delimiter", [" ", "\t", ",", ", "])
@pytest.mark.parametrize("trailing", [True, False])
def test_directories_are_read_whatever_separates_their_numbers(tmp_path, delimiter, trailing, columns):
    curves = published(tmp_path / "gauss", delimiter=delimiter, trailing=trailing, columns=columns)
    dataset = read_text(tmp_path / "gauss")
    np.testing.assert_allclose(dataset["m"], curves, rtol=1e-5)
    assert dataset["W"].to_numpy().tolist() == [0.114080, 0.165097]
    assert dataset["kernel"].to_numpy().tolist() == ["gaussian", "gaussian"]
    assert dataset["xi"].to_numpy().tolist() == [13.395668, 15.543847]
    assert dataset["theta2"].to_numpy() == pytest.approx(180.0)
    assert dataset["gamma_plus"].to_numpy() == pytest.approx(0.0 if columns == 12 else 0.001)
    assert dataset["time"].to_numpy() == pytest.approx(np.arange(18) / (2 * np.pi))
    assert dataset["time"].attrs["units"] == "us"
    assert dataset.attrs["echo_index"] == 12
    assert dataset["m_z"].isnull().all()


def test_decimal_commas_are_no_separators(tmp_path):
    curves = published(tmp_path / "gauss")
    for file in (tmp_path / "gauss").iterdir():
        file.write_text(file.read_text().replace(".", ",").replace(" ", "\t"), encoding="utf-16")
    with pytest.raises(DataError, match=r"w_list.txt` has 4 numbers, but there are 2 curves"):
        read_text(tmp_path / "gauss")
    (tmp_path / "gauss" / "w_list.txt").unlink()
    np.testing.assert_allclose(read_text(tmp_path / "gauss")["m"], curves, rtol=1e-5)


def test_a_naive_reader_sees_the_column_of_nan_that_ours_does_not(tmp_path):
    published(tmp_path / "gauss")
    naive = pd.read_csv(tmp_path / "gauss" / "echos_r.txt", delimiter=" ", header=None)
    assert naive.shape == (2, 19)
    assert naive.iloc[:, -1].isna().all()
    assert read_text(tmp_path / "gauss").sizes["time"] == 18


def test_pulse_phases_are_turned_by_the_half_turn_between_the_sign_conventions(tmp_path):
    published(tmp_path / "gauss", columns=16)
    dataset = read_text(tmp_path / "gauss")
    assert dataset["phi1"].to_numpy().tolist() == [180.0, 180.0]
    assert dataset["phi2"].to_numpy().tolist() == [270.0, 270.0]


def test_kernel_integrals_of_the_published_rows_are_computed_where_the_file_is_missing(tmp_path):
    published(tmp_path / "gauss")
    (tmp_path / "gauss" / "w_list.txt").unlink()
    assert read_text(tmp_path / "gauss")["W"].to_numpy() == pytest.approx([0.114080, 0.165097], rel=5e-3)


def test_length_scales_follow_from_the_kernel_integrals(tmp_path):
    published(tmp_path / "gauss")
    assert np.sqrt(read_text(tmp_path / "gauss")["kernel_sum"].to_numpy()) == pytest.approx([23.7645, 27.583], rel=1e-2)


def test_the_disorder_of_curves_says_which_of_them_share_it(tmp_path):
    published(tmp_path / "gauss")
    assert len(set(read_text(tmp_path / "gauss")["disorder"].to_numpy())) == 2
    assert len(set(read_text(tmp_path / "gauss", disorder="frozen")["disorder"].to_numpy())) == 1


def test_programs_that_save_after_each_step_start_one_step_later(tmp_path):
    published(tmp_path / "gauss", delimiter="\t", trailing=False)
    dataset = read_text(tmp_path / "gauss", first_step=1)
    assert float(dataset["time"][0]) == pytest.approx(1 / (2 * np.pi))
    assert dataset.attrs["echo_index"] == 11


def test_without_shared_parameters_the_step_must_be_given(tmp_path):
    published(tmp_path / "gauss")
    (tmp_path / "gauss" / "sim_params.txt").unlink()
    with pytest.raises(DataError, match=r"has no `sim_params.txt`, so the time between its samples must be given"):
        read_text(tmp_path / "gauss")
    assert float(read_text(tmp_path / "gauss", step=0.3)["time"][1]) == 0.3


@pytest.mark.parametrize("layout", ["spinechosim", "reference", "cuda"])
def test_a_generated_data_set_comes_back_from_every_layout(dataset, tmp_path, layout):
    write_text(dataset, tmp_path / "out", layout=layout)
    back = read_text(tmp_path / "out")
    assert back["m"].to_numpy().tobytes() == dataset["m"].to_numpy().tobytes()
    for name in PARAMETERS:
        np.testing.assert_allclose(back[name], dataset[name], rtol=1e-12)
        assert back[name].attrs == dataset[name].attrs
    np.testing.assert_allclose(back["time"], dataset["time"], rtol=1e-12)
    assert back.attrs["echo_index"] == dataset.attrs["echo_index"]
    assert back["kernel"].to_numpy().tolist() == dataset["kernel"].to_numpy().tolist()
    if layout == "cuda":
        assert back["m_z"].to_numpy().tobytes() == dataset["m_z"].to_numpy().tobytes()
        assert back["phi2"].to_numpy() == pytest.approx(90.0)


def test_what_was_read_can_be_written_again(tmp_path):
    published(tmp_path / "gauss", columns=16)
    first = read_text(tmp_path / "gauss")
    write_text(first, tmp_path / "again" / "gauss")
    second = read_text(tmp_path / "again" / "gauss")
    assert second.attrs["digest"] == first.attrs["digest"]
    for name in ("gamma_minus", "phi1", "theta1", "W"):
        np.testing.assert_allclose(second[name], first[name], rtol=1e-12)


def test_written_directories_end_their_rows_as_the_published_ones_do(dataset, tmp_path):
    write_text(dataset, tmp_path / "out", layout="reference")
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"echos_r", "echos_i", "echo_params.txt", "sim_params.txt", "w_list.txt"}
    naive = pd.read_csv(tmp_path / "out" / "echos_r", delimiter=" ", header=None)
    assert naive.shape == (6, dataset.sizes["time"] + 1)
    assert len((tmp_path / "out" / "echo_params.txt").read_text().splitlines()[0].split()) == 12
    shared = (tmp_path / "out" / "sim_params.txt").read_text().split()
    assert shared[:2] == ["6", "6"]
    # The programs cut this off to whole steps, where the recipe's 2 us round to 13 steps of 0.15 us.
    assert int(2 * np.pi * 1e6 * float(shared[3]) / float(shared[2])) == 13
    assert float(shared[4]) == 0.025


def test_the_layout_with_a_repeated_sample_holds_the_state_just_after_the_second_pulse(tmp_path):
    sequence = {"kind": "hahn", "tau": 2.0, "theta1": 60, "theta2": 120}
    dataset = make_dataset(tmp_path, experiment=experiment_with(sequence=sequence))
    write_text(dataset, tmp_path / "out", layout="cuda")
    parts = [np.loadtxt(tmp_path / "out" / f"{part}_output1.txt") for part in ("real", "imag", "z_real")]
    before, after = (np.array([part[:, k] for part in parts]) for k in (13, 14))
    turn = np.deg2rad(120)
    # A turn by 120 degrees about y.
    expected = [
        np.cos(turn) * before[0] + np.sin(turn) * before[2],
        before[1],
        np.cos(turn) * before[2] - np.sin(turn) * before[0],
    ]
    np.testing.assert_allclose(after, expected, atol=1e-6)
    np.testing.assert_array_equal(read_text(tmp_path / "out")["m"], dataset["m"])


def test_kernels_without_a_range_or_exponent_keep_none(tmp_path):
    for kind, missing in (("power", "xi"), ("rkky", "exponent")):
        kernel = {"kind": kind, "exponent": 3.0} if kind == "power" else {"kind": kind, "xi": 3.0}
        prior = {"coupling.alpha_x": {"kind": "uniform", "low": 1e-4, "high": 1e-2}}
        coupling = {"alpha_y": 1e-3, "alpha_z": 1e-3}
        made = make_dataset(
            tmp_path / kind,
            experiment=experiment_with(kernel=kernel, coupling=coupling),
            prior=prior,
            constraints={},
            n_curves=2,
        )
        write_text(made, tmp_path / kind / "out")
        back = read_text(tmp_path / kind / "out")
        assert back["kernel"].to_numpy().tolist() == [kind, kind]
        assert back[missing].isnull().all()


def experiment_with(**changes):
    values = {
        "lattice": {"shape": [6, 6]},
        "kernel": {"kind": "gaussian"},
        "line": {"kind": "lorentzian", "fwhm": 0.05, "bandwidth": 1.0},
        "sequence": {"kind": "hahn", "tau": 2.0},
        "step": 0.15,
    }
    return values | changes


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"sequence": {"kind": "cpmg", "echo_spacing": 1.2, "n_echoes": 2}}, "hold Hahn echoes only, but .* 'cpmg'"),
        ({"lattice": {"shape": [36]}}, r"lattices with two axes .* the shape is \(36,\)"),
        ({"sequence": {"kind": "hahn", "tau": 2.0, "phi2": 45.0}}, "phase of pulse 2 is no multiple of 90 degrees"),
        ({"dissipation": {"gamma_plus": 0.01}}, "`gamma_plus` is not zero, but 12 columns have no place for it"),
        ({"coupling": {"alpha_xz": 1e-3}}, r"`coupling\.alpha_xz` must be 0 in a text directory, .* but is not"),
        ({"field": {"polar": 20.0}}, r"`field\.polar` must be 0 in a text directory, .* but is not"),
        ({"lattice": {"shape": [6, 6], "abundance": 0.8}}, r"`lattice\.abundance` must be 1 in a text directory"),
    ],
)
def test_what_the_format_cannot_hold_is_refused(tmp_path, change, sentence):
    made = make_dataset(tmp_path, experiment=experiment_with(**change), n_curves=1)
    columns = 12 if "dissipation" in change else 16
    with pytest.raises(DataError, match=sentence):
        write_text(made, tmp_path / "out", columns=columns)
    assert not (tmp_path / "out").exists()


def test_a_drawn_angle_that_the_data_set_does_not_keep_is_refused(dataset, tmp_path):
    drawn = dataset.assign_attrs(recipe=dataset.attrs["recipe"].replace('"kernel.xi"', '"sequence.theta1"'))
    with pytest.raises(DataError, match=r"Key `sequence.theta1` was drawn for every curve"):
        write_text(drawn, tmp_path / "out")


def test_a_kernel_without_a_number_is_refused(dataset, tmp_path):
    uniform = dataset.assign_coords(kernel=("curve", np.full(6, "uniform")))
    with pytest.raises(DataError, match="Kernel `uniform` has no number that means the same in all programs"):
        write_text(uniform, tmp_path / "out")


def test_a_kernel_number_that_programs_disagree_about_must_be_named(tmp_path):
    published(tmp_path / "three", stencil=3)
    with pytest.raises(DataError, match=r"has kernel number 3, but only 0 .* say which kernel it is"):
        read_text(tmp_path / "three")
    assert set(read_text(tmp_path / "three", kernel="uniform")["kernel"].to_numpy()) == {"uniform"}


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("echos_r.txt", "1 2 3\n4 5 nan\n", r"File `.*echos_r.txt`, line 2: column 3 is nan, but must be a finite"),
        ("echos_r.txt", "1 2 3\n4 5 6 7\n", r"File `.*echos_r.txt`, line 2: it has 4 numbers, but line 1 has 3"),
        ("echos_r.txt", "1 2 three\n4 5 6\n", r"File `.*echos_r.txt` is not a table of numbers: line 1 is `1 2 three`"),
        ("echos_r.txt", "1 2 3\n4,5 6\n", r"File `.*echos_r.txt`, line 2: "),
        ("echos_r.txt", "", r"File `.*echos_r.txt` holds no numbers"),
        ("echos_i.txt", "1 2 3\n4 5 6\n", r"the real parts have shape \(2, 18\), but the imaginary ones \(2, 3\)"),
        ("echo_params.txt", "1 2 3\n", r"File `.*echo_params.txt` must have 12 or 16 columns, but has 3"),
        ("echo_params.txt", "0 " * 12 + "\n", r"File `.*echo_params.txt` has 1 rows, but there are 2 curves"),
        ("w_list.txt", "1\n", r"File `.*w_list.txt` has 1 numbers, but there are 2 curves"),
        ("sim_params.txt", "100 100 1\n", r"sim_params.txt` must have one distinct row of 5 numbers"),
        ("sim_params.txt", "9 9 1 1e-4 0.02\n", r"tau should last 6 samples, .* but it lasts 628.3"),
    ],
)
def test_a_file_that_does_not_fit_is_named(tmp_path, name, text, sentence):
    published(tmp_path / "gauss")
    (tmp_path / "gauss" / name).write_text(text)
    with pytest.raises(DataError, match=sentence):
        read_text(tmp_path / "gauss")


def test_missing_and_doubled_files_are_named(tmp_path):
    with pytest.raises(DataError, match=r"Folder `.*nothing` does not exist"):
        read_text(tmp_path / "nothing")
    with pytest.raises(DataError, match=r"has no `echos_r.txt` or `echos_r` or"):
        read_text(tmp_path)
    published(tmp_path / "gauss")
    (tmp_path / "gauss" / "echo_params2.txt").write_text("1\n")
    with pytest.raises(DataError, match=r"has 2 files `echo_params\*.txt`, but must have one"):
        read_text(tmp_path / "gauss")


@pytest.mark.skipif(not REFERENCE.is_dir(), reason="the published curves are not on this machine")
def test_the_published_example_of_spin_echo_sim_is_read(tmp_path):
    table = pd.read_csv(REFERENCE / "cuda_gaussian_100x100.csv")
    rows = {0: (0.00086477, 5.0), 4: (0.00022143, 11.18033989), 8: (5.878e-05, 25.0)}
    for part, name in (("re", "real_output1.txt"), ("im", "imag_output1.txt"), ("mz", "z_real_output1.txt")):
        lines = [" ".join(f"{value:g}" for value in table[f"{part}_{row}"]) + " \n" for row in rows]
        (tmp_path / name).write_text("".join(lines))
    parameters = [
        f"{a} {a} 0.0 {xi} 2.0 0.0 0.0 0.0 0 1.0 0.0 0.0 1.57079633 3.14159265 0 0\n" for a, xi in rows.values()
    ]
    (tmp_path / "echo_params1.txt").write_text("".join(parameters))
    (tmp_path / "sim_params1.txt").write_text("100 100 1.88495559 5e-05 0.025\n")
    dataset = read_text(tmp_path)
    assert dataset["m"].shape == (3, 498)
    assert float(dataset["time"][1]) == pytest.approx(0.3)
    assert dataset.attrs["echo_index"] == 332
    assert dataset["m_z"].notnull().all()
    assert dataset["W"].to_numpy() == pytest.approx(2 * dataset["X"].to_numpy())
    echo = simulate(experiment_of(dataset.isel(curve=0)), seed=0)
    # The published curve had its own disorder: the phases of both pulses, the time axis and W must agree for this.
    difference = echo.m - dataset["m"][0].to_numpy()
    assert np.sqrt(np.mean(np.abs(difference) ** 2)) < 0.03
    assert np.abs(echo.m[332] - dataset["m"].to_numpy()[0, 332]) < 0.1 * np.abs(echo.m[332])


def experiment_of(curve):
    """The experiment that a curve of the published example was made with."""
    number = {name: float(curve[name]) for name in ("alpha_x", "alpha_y", "alpha_z", "xi", "theta1", "theta2")}
    phases = {name: float(curve[name]) for name in ("phi1", "phi2")}
    pulses = {"theta1": number.pop("theta1"), "theta2": number.pop("theta2"), **phases}
    values = {
        "lattice": {"shape": [100, 100]},
        "kernel": {"kind": "gaussian", "xi": number.pop("xi")},
        "coupling": number,
        "line": {"fwhm": 0.05, "bandwidth": 0.5},
        "sequence": {"kind": "hahn", "tau": 166 * 0.3, **pulses},
        "step": 0.3,
    }
    return Experiment.model_validate(values)
