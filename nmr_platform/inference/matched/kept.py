"""What was learnt of a matched training set, at rest beside it: the next record of its kind takes seconds."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nmr_platform.errors import DataError
from nmr_platform.files import read_json, staged_folder, write_json
from nmr_platform.inference.matched.answer import Learnt
from nmr_platform.inference.matched.intervals import Quantiles
from nmr_platform.inference.matched.matched import Misled
from nmr_platform.inference.novelty import Novelty
from nmr_platform.learning import load_estimator, save_estimator

__all__ = ["read_learnt", "write_learnt"]

_FACTS, _LIKELIHOODS, _CURVES, _SCORES = "learnt.json", "likelihoods.npy", "curves.npy", "scores.npy"
_MADE_BY = "nmr infer"
# Raised whenever one learns in another way from the same curves.
_WAY = 5


def write_learnt(folder: Path, identity: Mapping[str, Any], learnt: Learnt, misled: Misled, curves: int) -> None:
    """Keep models; no pickle is among them.

    Args:
        folder: Where to; what is there is replaced.
        identity: What they depend on beside the training set's kind.
        learnt: The models.
        misled: How far couplings mislead a look.
        curves: How many were learnt from.
    """
    with staged_folder(folder) as made:
        table, novelty = learnt.novelty

        def kept(model: Any, name: str) -> str:
            (made / name).mkdir()
            return f"{name}/{save_estimator(model, made / name)}"

        facts = {
            "identity": {**identity, "way": _WAY},
            "champions": {
                name: [of, kept(model, f"champion-{name}")] for name, (of, model) in learnt.champions.items()
            },
            "quantiles": {
                name: [kept(each.model, f"quantiles-{name}"), each.prior, each.unit]
                for name, each in learnt.quantiles.items()
            },
            "classifier": learnt.classifier and [learnt.classifier[0], kept(learnt.classifier[1], "classifier")],
            "kernels": [*learnt.kernels],
            "novelty": [table, kept(novelty.detector, "novelty")],
            "columns": [*learnt.curves.columns],
            "misled": misled._asdict(),
            "curves": curves,
        }
        np.save(made / _LIKELIHOODS, novelty.calibration)
        np.save(made / _CURVES, learnt.curves.to_numpy(dtype=np.float32))
        np.save(made / _SCORES, np.array([each.scores for each in learnt.quantiles.values()]))
        write_json(made / _FACTS, facts)


def read_learnt(folder: Path, identity: Mapping[str, Any]) -> tuple[Learnt, Misled, int] | None:
    """Models that were kept, with how far couplings mislead a look and the number of curves.

    Args:
        folder: Where `write_learnt` left them.
        identity: What they must have been made of.

    Returns:
        None where there are none, or others, or damaged ones: they are made again.
    """
    try:
        facts = read_json(folder / _FACTS, made_by=_MADE_BY)
        if facts["identity"] != {**identity, "way": _WAY}:
            return None

        def model(name: str) -> Any:
            return load_estimator(folder / name)

        table, detector = facts["novelty"]
        novelty = Novelty(model(detector), np.load(folder / _LIKELIHOODS, allow_pickle=False))
        scores = np.load(folder / _SCORES, allow_pickle=False)
        learnt = Learnt(
            {name: (of, model(at)) for name, (of, at) in facts["champions"].items()},
            {
                name: Quantiles(model(at), own, tuple(prior), unit)
                for own, (name, (at, prior, unit)) in zip(scores, facts["quantiles"].items(), strict=True)
            },
            facts["classifier"] and (facts["classifier"][0], model(facts["classifier"][1])),
            tuple(facts["kernels"]),
            (table, novelty),
            pd.DataFrame(np.load(folder / _CURVES, allow_pickle=False), columns=facts["columns"]),
        )
        return learnt, Misled(**facts["misled"]), facts["curves"]
    except (DataError, OSError, KeyError, TypeError, ValueError):
        return None
