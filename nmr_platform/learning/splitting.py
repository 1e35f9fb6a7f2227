"""An honest split: no disorder realisation and no curve is ever on both sides, nor in two folds."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from sklearn.model_selection import GroupKFold, StratifiedGroupKFold

from nmr_platform.errors import DataError
from nmr_platform.learning.settings import SplitSettings
from nmr_platform.learning.tasks import Task

__all__ = [
    "Fold",
    "HeldOut",
    "Split",
    "SplitTables",
    "TrainingPart",
    "disorder_groups",
    "make_folds",
    "make_split",
    "task_rows",
]


@dataclass(frozen=True)
class TrainingPart:
    """All that tuning may see.

    Attributes:
        features: Feature table, shape (n, n_features).
        labels: Labels of the same rows.
        groups: Disorder group of every row, shape (n,).
    """

    features: pd.DataFrame
    labels: pd.DataFrame
    groups: NDArray[np.intp]

    def digest(self) -> str:
        """Hash of names, values and groups: the content that a study depends on."""
        state = blake2b(digest_size=16)
        state.update("\0".join(map(str, self.features.columns)).encode())
        state.update(pd.util.hash_pandas_object(self.features, index=False).to_numpy().tobytes())
        state.update(pd.util.hash_pandas_object(self.labels, index=False).to_numpy().tobytes())
        state.update(np.ascontiguousarray(self.groups).tobytes())
        return state.hexdigest()


@dataclass(frozen=True)
class HeldOut:
    """What only `evaluate` may see, once; deliberately another type than `TrainingPart`.

    Attributes:
        features: Feature table, shape (n, n_features).
        labels: Labels of the same rows.
        groups: Disorder group of every row, shape (n,).
    """

    features: pd.DataFrame
    labels: pd.DataFrame
    groups: NDArray[np.intp]


@dataclass(frozen=True)
class Split:
    """Which rows are held out.

    Attributes:
        groups: Disorder group of every row, shape (n,).
        in_test: True for held-out rows, shape (n,).
        disorder: ``fresh`` if test curves have disorder of their own, ``frozen`` if all curves of a kernel share one
            realisation.
    """

    groups: NDArray[np.intp]
    in_test: NDArray[np.bool_]
    disorder: Literal["fresh", "frozen"]

    def __post_init__(self) -> None:
        """Refuse a split that leaks, whoever made it.

        Raises:
            DataError: A group has rows on both sides.
        """
        shared = np.intersect1d(self.groups[self.in_test], self.groups[~self.in_test])
        if shared.size:
            message = (
                f"Argument `in_test` must keep the curves of a disorder group on one side, but {shared.size} groups "
                "have curves on both."
            )
            raise DataError(message)

    @property
    def digest(self) -> str:
        """Hash of the membership of every row, to check that two steps split alike."""
        state = blake2b(np.packbits(self.in_test).tobytes(), digest_size=16)
        state.update(self.groups.astype(np.int64).tobytes())
        return state.hexdigest()

    def training_part(self, features: pd.DataFrame, labels: pd.DataFrame) -> TrainingPart:
        """The rows that tuning may see.

        Args:
            features: Feature table of all rows, shape (n, n_features).
            labels: Labels of the same rows.
        """
        rows = ~self.in_test
        return TrainingPart(
            features.loc[rows].reset_index(drop=True), labels.loc[rows].reset_index(drop=True), self.groups[rows]
        )

    def held_out(self, features: pd.DataFrame, labels: pd.DataFrame) -> HeldOut:
        """The rows that are kept for the evaluation.

        Args:
            features: Feature table of all rows, shape (n, n_features).
            labels: Labels of the same rows.
        """
        rows = self.in_test
        return HeldOut(
            features.loc[rows].reset_index(drop=True), labels.loc[rows].reset_index(drop=True), self.groups[rows]
        )


@dataclass(frozen=True)
class SplitTables:
    """The rows of one task, and their split.

    Attributes:
        labels: Labels of the task's rows.
        tables: Feature tables of the same rows, by name.
        split: Which of them are held out.
    """

    labels: pd.DataFrame
    tables: Mapping[str, pd.DataFrame]
    split: Split

    def training_part(self, feature_set: str) -> TrainingPart:
        """What tuning may see of one table."""
        return self.split.training_part(self.tables[feature_set], self.labels)

    def held_out(self, feature_set: str) -> HeldOut:
        """What is kept of one table for the evaluation."""
        return self.split.held_out(self.tables[feature_set], self.labels)


@dataclass(frozen=True)
class Fold:
    """Row numbers of one fold.

    Attributes:
        fit: Rows to fit on, shape (n_fit,).
        score: Rows to score on, shape (n_score,).
    """

    fit: NDArray[np.intp]
    score: NDArray[np.intp]


def task_rows(
    task: Task, features: Mapping[str, pd.DataFrame], labels: pd.DataFrame, settings: SplitSettings
) -> SplitTables:
    """Select the task's rows and split them.

    Args:
        task: The task.
        features: Every feature table, rows in the order of ``labels``.
        labels: Labels with ``kernel``, ``curve``, ``disorder`` and the targets.
        settings: How to split.

    Raises:
        DataError: A table and the labels differ in length, a kernel is missing, the target does not vary, or there is
            no honest split.
    """
    for name, table in features.items():
        if len(table) != len(labels):
            message = f"Feature table `{name}` must have one row per label ({len(labels)}), but has {len(table)}."
            raise DataError(message)
    rows = task.select(labels)
    chosen = labels.loc[rows].reset_index(drop=True)
    task.check(chosen)
    tables = {name: table.loc[rows].reset_index(drop=True) for name, table in features.items()}
    return SplitTables(chosen, tables, make_split(chosen, tables, settings))


def make_folds(part: TrainingPart, task: Task, n_folds: int, seed: int) -> list[Fold]:
    """Split the training part into folds that share no disorder group; classes stay in proportion.

    Args:
        part: The training part, n rows.
        task: Says which classes the rows have.
        n_folds: Number of folds.
        seed: Seed of the shuffle.

    Returns:
        One for each fold; every row is scored once.

    Raises:
        DataError: There are fewer groups, or fewer curves of a class, than folds.
    """
    n_groups = len(np.unique(part.groups))
    if n_groups < n_folds:
        message = f"The training part must have {n_folds} disorder groups or more for `cv_folds`, but has {n_groups}."
        raise DataError(message)
    strata = task.strata(part.labels)
    if strata is None:
        splits = GroupKFold(n_folds, shuffle=True, random_state=seed).split(part.groups, groups=part.groups)
    else:
        names, sizes = np.unique(strata, return_counts=True)
        if sizes.min() < n_folds:
            name, size = names[sizes.argmin()], sizes.min()
            message = f"Class `{name}` must have {n_folds} training curves or more for `cv_folds`, but has {size}."
            raise DataError(message)
        splitter = StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed)
        splits = splitter.split(part.groups, strata, part.groups)
    return [Fold(fit, score) for fit, score in splits]


def make_split(labels: pd.DataFrame, tables: Mapping[str, pd.DataFrame], settings: SplitSettings) -> Split:
    """Decide for every disorder group, by a keyed hash of its name, whether it is held out.

    The decision about a group does not depend on the other groups, so it stands when the data set grows; only groups
    that a new duplicate row ties together may move, as they must.

    Args:
        labels: Labels, n rows, with ``kernel``, ``curve`` and ``disorder``.
        tables: Every feature table of these n rows; rows equal in any of them are put into one group.
        settings: Fraction, seed and what to do about frozen disorder.

    Raises:
        DataError: All curves of a kernel share one disorder realisation and ``frozen_disorder`` is ``refuse``, or
            one side would be empty.
    """
    frozen = _frozen_kernels(labels)
    if frozen and settings.frozen_disorder == "refuse":
        message = (
            f"The curves of every kernel must come from several disorder realisations to be split honestly, but those "
            f"of {', '.join(frozen)} all share one; set `frozen_disorder: curve` to split by curve and have the "
            "results flagged."
        )
        raise DataError(message)
    curves = _curve_names(labels)
    shares_one = labels["kernel"].isin(frozen).to_numpy(dtype=bool)
    identities = np.where(shares_one, curves, labels["disorder"].to_numpy(dtype=np.str_))
    groups = disorder_groups(identities, tables, curves)
    in_test = _is_held_out(identities, groups, settings)
    if in_test.all() or not in_test.any():
        side = "training" if in_test.all() else "test"
        message = (
            f"The split must leave groups on both sides, but of {groups.max() + 1} groups none is in the {side} part; "
            "use more curves or another `test_fraction` or `seed`."
        )
        raise DataError(message)
    return Split(groups, in_test, "frozen" if frozen else "fresh")


def disorder_groups(
    identities: NDArray[np.str_], tables: Mapping[str, pd.DataFrame], curves: NDArray[np.str_] | None = None
) -> NDArray[np.intp]:
    """Number the groups of rows that must stay together.

    Args:
        identities: Name of the disorder realisation of every row, shape (n,).
        tables: Feature tables; rows that are equal in one of them are tied together, whatever their identity.
        curves: Name of the curve that every row was made from, shape (n,): noisy copies of a curve, as resampling
            makes them, differ from it in every table.

    Returns:
        Group of every row, shape (n,), counted from 0.
    """
    n = len(identities)
    codes = [np.unique(names, return_inverse=True)[1] for names in (identities, curves) if names is not None]
    codes += [pd.factorize(pd.util.hash_pandas_object(table, index=False))[0] for table in tables.values()]
    # Rows on one side of a bipartite graph, what they share on the other: groups are its connected components.
    rows, nodes, offset = [], [], n
    for code in codes:
        rows.append(np.arange(n))
        nodes.append(code + offset)
        offset += int(code.max(initial=-1)) + 1
    edges = (np.ones(n * len(codes), dtype=bool), (np.concatenate(rows), np.concatenate(nodes)))
    component = connected_components(coo_array(edges, shape=(offset, offset)), directed=False)[1][:n]
    groups: NDArray[np.intp] = pd.factorize(component)[0].astype(np.intp)
    return groups


def _frozen_kernels(labels: pd.DataFrame) -> list[str]:
    """Kernels of several curves that all share one realisation: every kernel's data set has its own."""
    by_kernel = labels.groupby("kernel", sort=True)["disorder"].agg(["nunique", "size"])
    return [str(name) for name in by_kernel.index[(by_kernel["nunique"] == 1) & (by_kernel["size"] > 1)]]


def _curve_names(labels: pd.DataFrame) -> NDArray[np.str_]:
    """Kernel, seed of the data set (where the labels have it) and number of every curve, shape (n,)."""
    columns = [name for name in ("kernel", "seed", "curve") if name in labels]
    parts = zip(*(labels[name].astype(str) for name in columns), strict=True)
    return np.array([":".join(part) for part in parts], dtype=np.str_)


def _is_held_out(identities: NDArray[np.str_], groups: NDArray[np.intp], settings: SplitSettings) -> NDArray[np.bool_]:
    # The smallest hash speaks for a group of several identities: any rule would do that ignores the order of rows.
    position = pd.Series(identities).map({name: _position(name, settings.seed) for name in np.unique(identities)})
    return (position.groupby(groups).transform("min") < settings.test_fraction).to_numpy(dtype=bool)


def _position(identity: str, seed: int) -> float:
    """A number in [0, 1) that depends on nothing but the identity and the seed."""
    value = blake2b(identity.encode(), digest_size=8, key=f"nmr-split-{seed}".encode()).digest()
    return int.from_bytes(value, "big") / 2.0**64
