"""Files as NICOS would have made them of a Tecmag spectrometer, with the names that DNMR reads."""

import h5py
import numpy as np

from tests.exchange.builders import STEP

__all__ = ["INVERSION_RECOVERY", "write_dnmr"]

# Width in us, height, delay in us, phases in quarter turns.
INVERSION_RECOVERY = ((5, 40, 1, "0 0 0 0"), (2.5, 40, 50, "0 2 0 2"), (5, 40, 0.1, "1 3 3 1"))


def write_dnmr(
    path,
    data,
    *,
    pulses=((2.5, 40, 0, "0 2"),),
    ringdown=0.0,
    step=STEP,
    prefix="tnmr_",
    delay="relaxation_time",
    **params,
):
    """Write a scan; ``data`` has shape (T,) or (n, T), and ``pulses`` are those of all points, or a list of them."""
    records = np.atleast_2d(data)
    scans = pulses if isinstance(pulses, list) else [pulses] * len(records)
    n_points = records.shape[1]
    said = {"acquisition_time": step * n_points, "ringdown_time": ringdown, "pre_acquisition_time": 1.0}
    said |= {"post_acquisition_time": 10.0, "obs_freq": 60.1, "acq_phase_cycle": b"0 2 2 0", "num_scans": 64} | params
    with h5py.File(path, "w") as file:
        file["metadata/users"] = b"somebody"
        # Names sort otherwise than numbers.
        for place, (record, sequence) in enumerate(zip(records, scans, strict=True)):
            point = file.create_group(f"{'point' if prefix else 'entry'}{8 + place}")
            point[f"{prefix}reals"], point[f"{prefix}imags"] = record.real, record.imag
            # As the program does: a time more than points, spread over one less.
            point[f"{prefix}times"] = np.arange(n_points + 1) * step * n_points / (n_points - 1)
            for name, value in said.items():
                point[f"{prefix}params/{name}"] = value
            for pulse, (width, height, after, phases) in enumerate(sequence):
                held = {"pulse_width": width, "pulse_height": height, delay: after, "phase_cycle": phases.encode()}
                for name, value in held.items():
                    point[f"{prefix}sequence/{pulse}/{name}"] = value
