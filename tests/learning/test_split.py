"""Honest splits: what must be impossible."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nmr_platform.errors import DataError
from nmr_platform.learning.settings import SplitSettings
from nmr_platform.learning.splitting import Split, TrainingPart, make_folds, make_split, task_rows
from nmr_platform.learning.tasks import ClassificationTask, RegressionTask
from tests.learning.problems import KERNEL_TASK, KERNELS, W_TASK, frozen, problem


def labels_of(disorder):
    n = len(disorder)
    return pd.DataFrame({"kernel": "gaussian", "curve": np.arange(n), "disorder": [str(d) for d in disorder], "W": 0.1})


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(st.tuples(st.integers(0, 30), st.integers(0, 40)), min_size=2, max_size=60),
    seed=st.integers(0, 20),
    fraction=st.floats(0.1, 0.9),
)
def test_neither_a_disorder_nor_a_curve_is_ever_on_both_sides(rows, seed, fraction):
    disorder, content = np.array(rows).T
    table = pd.DataFrame({"f": content.astype(np.float32), "g": 1.0})
    try:
        split = make_split(labels_of(disorder), {"t": table}, SplitSettings(test_fraction=fraction, seed=seed))
    except DataError:
        return
    for identity in (disorder, content, split.groups):
        assert not set(identity[split.in_test]) & set(identity[~split.in_test])


@settings(max_examples=30, deadline=None)
@given(disorder=st.lists(st.integers(0, 50), min_size=12, max_size=60), seed=st.integers(0, 5))
def test_folds_share_no_disorder_and_cover_every_row_once(disorder, seed):
    labels = labels_of(disorder)
    part = TrainingPart(pd.DataFrame({"f": disorder}), labels, np.unique(disorder, return_inverse=True)[1])
    if len(set(disorder)) < 3:
        return
    folds = make_folds(part, W_TASK, 3, seed)
    for fold in folds:
        assert not set(part.groups[fold.fit]) & set(part.groups[fold.score])
    assert sorted(np.concatenate([fold.score for fold in folds])) == list(range(len(disorder)))


def test_membership_is_stable_when_the_data_set_grows():
    settings = SplitSettings(test_fraction=0.3, seed=4)
    small = make_split(labels_of(range(200)), {}, settings)
    large = make_split(labels_of(range(500)), {}, settings)
    np.testing.assert_array_equal(large.in_test[:200], small.in_test)


def test_membership_does_not_depend_on_the_order_of_rows():
    order = np.random.default_rng(0).permutation(300)
    settings = SplitSettings()
    split, shuffled = (make_split(labels_of(disorder), {}, settings) for disorder in (np.arange(300), order))
    np.testing.assert_array_equal(shuffled.in_test, split.in_test[order])


def test_the_held_out_share_is_the_one_asked_for_and_the_seed_changes_it():
    first, second = (make_split(labels_of(range(4000)), {}, SplitSettings(seed=seed)).in_test for seed in (0, 1))
    assert abs(first.mean() - 0.2) < 0.02
    assert (first != second).mean() > 0.2


def test_curves_of_different_kernels_with_one_disorder_stay_together():
    features, labels = problem(100)
    labels["disorder"] = labels["curve"].astype(str)
    split = make_split(labels, {"t": features}, SplitSettings())
    assert (pd.Series(split.in_test).groupby(labels["curve"]).nunique() == 1).all()


def test_a_duplicate_curve_under_another_identity_joins_the_group_of_the_first():
    features, labels = problem(100)
    copies = features.sample(200, random_state=1)
    again = labels.loc[copies.index].assign(disorder=lambda t: "copy-" + t["disorder"])
    table = pd.concat([features, copies], ignore_index=True)
    split = make_split(pd.concat([labels, again], ignore_index=True), {"t": table}, SplitSettings())
    np.testing.assert_array_equal(split.in_test[300:], split.in_test[copies.index])


def test_a_noisy_copy_of_a_curve_under_another_identity_stays_with_the_curve():
    features, labels = problem(100)
    again = labels.assign(disorder="copy-" + labels["disorder"])
    table = pd.concat([features, features + np.float32(1e-3)], ignore_index=True)
    split = make_split(pd.concat([labels, again], ignore_index=True), {"t": table}, SplitSettings())
    np.testing.assert_array_equal(split.in_test[300:], split.in_test[:300])


def test_curves_of_the_same_number_in_data_sets_of_other_seeds_are_other_curves():
    _, labels = problem(40)
    other = labels.assign(seed=2, disorder="2/" + labels["disorder"])
    split = make_split(pd.concat([labels.assign(seed=1), other], ignore_index=True), {}, SplitSettings())
    assert len(set(split.groups)) == 240


def test_a_duplicate_in_one_of_several_tables_is_enough_to_tie_rows():
    unique = pd.DataFrame({"f": np.arange(50.0)})
    pairs = pd.DataFrame({"f": np.arange(50) // 2})
    split = make_split(labels_of(range(50)), {"a": unique, "b": pairs}, SplitSettings())
    assert len(set(split.groups)) == 25


def test_of_tied_rows_the_one_that_would_be_held_out_by_itself_takes_the_others_along():
    labels, pairs = labels_of(range(200)), pd.DataFrame({"f": np.arange(200) // 2})
    alone = make_split(labels, {}, SplitSettings(test_fraction=0.3)).in_test.reshape(100, 2)
    tied = make_split(labels, {"pairs": pairs}, SplitSettings(test_fraction=0.3)).in_test.reshape(100, 2)
    assert (alone[:, 0] & ~alone[:, 1]).any()
    assert (alone[:, 1] & ~alone[:, 0]).any()
    np.testing.assert_array_equal(tied, np.repeat(alone.any(axis=1, keepdims=True), 2, axis=1))


def test_two_curves_that_share_one_realisation_are_frozen_and_a_single_curve_is_not():
    many, two = labels_of(range(20)), labels_of(["the-one", "the-one"]).assign(kernel="rkky")
    with pytest.raises(DataError, match="those of rkky all share one"):
        make_split(pd.concat([many, two], ignore_index=True), {}, SplitSettings())
    split = make_split(pd.concat([many, two.head(1)], ignore_index=True), {}, SplitSettings())
    assert split.disorder == "fresh"


def test_frozen_disorder_is_refused_with_advice():
    _, labels = problem(5)
    with pytest.raises(DataError, match="of gaussian, power, rkky all share one; set `frozen_disorder: curve`"):
        make_split(frozen(labels), {}, SplitSettings())


def test_frozen_data_of_several_kernels_are_recognised_though_each_has_its_own_realisation():
    _, labels = problem(50)
    apart = labels.assign(disorder=labels["kernel"] + "/frozen")
    with pytest.raises(DataError, match="of gaussian, power, rkky all share one"):
        make_split(apart, {}, SplitSettings())
    split = make_split(apart, {}, SplitSettings(frozen_disorder="curve"))
    assert split.disorder == "frozen"
    for kernel in KERNELS:
        assert 0.05 < split.in_test[apart["kernel"] == kernel].mean() < 0.45


def test_one_frozen_kernel_among_fresh_ones_is_enough_to_be_flagged():
    _, labels = problem(50)
    mixed = labels.assign(disorder=labels["disorder"].where(labels["kernel"] != "rkky", "the-one"))
    with pytest.raises(DataError, match="those of rkky all share one"):
        make_split(mixed, {}, SplitSettings())
    split = make_split(mixed, {}, SplitSettings(frozen_disorder="curve"))
    assert split.disorder == "frozen"
    assert len(set(split.groups)) == len(labels)


def test_a_split_made_by_hand_must_not_leak_either():
    with pytest.raises(DataError, match="but 1 groups have curves on both"):
        Split(np.array([0, 0, 1]), np.array([True, False, False]), "fresh")


def test_frozen_disorder_on_request_is_split_by_curve_and_flagged():
    _, labels = problem(50)
    split = make_split(frozen(labels), {}, SplitSettings(frozen_disorder="curve"))
    assert split.disorder == "frozen"
    assert 0.1 < split.in_test.mean() < 0.3
    assert len(set(split.groups)) == len(labels)


def test_a_split_that_leaves_one_side_empty_is_refused():
    with pytest.raises(DataError, match="of 2 groups none is in the test part"):
        make_split(labels_of([0, 1]), {}, SplitSettings(test_fraction=0.001))


def test_a_table_of_another_length_is_refused():
    features, labels = problem(5)
    with pytest.raises(DataError, match=r"`t` must have one row per label \(15\), but has 14"):
        task_rows(W_TASK, {"t": features.head(14)}, labels, SplitSettings())


def test_the_digest_tells_splits_apart():
    labels = labels_of(range(100))
    digests = {make_split(labels, {}, SplitSettings(seed=seed)).digest for seed in (0, 0, 1)}
    assert len(digests) == 2


def test_the_digests_tell_groups_apart_that_are_held_out_alike():
    features, labels = problem(2)
    in_test = np.array([True, False, False, False, False, False])
    splits = [Split(np.array(groups), in_test, "fresh") for groups in ([0, 1, 2, 3, 4, 5], [0, 1, 1, 2, 3, 4])]
    assert splits[0].digest != splits[1].digest
    parts = [split.training_part(features, labels) for split in splits]
    assert parts[0].digest() != parts[1].digest()


def test_the_digest_of_a_training_part_changes_with_all_that_a_study_sees():
    features, labels = problem(2)
    part = TrainingPart(features, labels, np.arange(6))
    others = [
        TrainingPart(features + 1, labels, part.groups),
        TrainingPart(features.rename(columns={"f0": "other"}), labels, part.groups),
        TrainingPart(features, labels.assign(W=labels["W"] + 1), part.groups),
        TrainingPart(features, labels, part.groups[::-1]),
    ]
    assert len({each.digest() for each in (part, *others)}) == 5


def test_training_part_and_held_out_part_have_no_row_in_common():
    features, labels = problem(40)
    rows = task_rows(W_TASK, {"t": features}, labels, SplitSettings())
    training, test = rows.training_part("t"), rows.held_out("t")
    assert len(training.features) + len(test.features) == 40
    assert not set(training.labels["disorder"]) & set(test.labels["disorder"])
    assert training.digest() != rows.split.training_part(features.head(40) * 2, rows.labels).digest()


def test_classes_keep_their_proportion_over_the_folds():
    features, labels = problem(60)
    part = task_rows(KERNEL_TASK, {"t": features}, labels, SplitSettings()).training_part("t")
    y = KERNEL_TASK.y(part.labels)
    shares = [(y[fold.score] == "power").mean() for fold in make_folds(part, KERNEL_TASK, 4, 0)]
    assert max(shares) - min(shares) < 0.06


def test_as_many_groups_and_curves_of_a_class_as_folds_are_enough():
    features, labels = problem(3)
    part = TrainingPart(features, labels, np.arange(9))
    assert [fold.score.size for fold in make_folds(part, KERNEL_TASK, 3, 0)] == [3, 3, 3]
    assert [fold.score.size for fold in make_folds(part, W_TASK, 9, 0)] == [1] * 9


@pytest.mark.parametrize("task", [W_TASK, KERNEL_TASK], ids=["regression", "classification"])
def test_the_seed_shuffles_the_folds(task):
    features, labels = problem(20)
    part = TrainingPart(features, labels, np.arange(60))
    first, again, other = (make_folds(part, task, 4, seed)[0].score.tolist() for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_too_few_groups_for_the_folds_are_refused():
    features, labels = problem(4)
    part = task_rows(W_TASK, {"t": features}, labels, SplitSettings(test_fraction=0.4, seed=2)).training_part("t")
    with pytest.raises(DataError, match="must have 9 disorder groups or more"):
        make_folds(part, RegressionTask(), 9, 0)


def test_too_few_curves_of_a_class_for_the_folds_are_refused():
    features, labels = problem(20)
    rows = np.r_[0:20, 20:22, 40:60]
    task = ClassificationTask()
    part = TrainingPart(features.iloc[rows], labels.iloc[rows], np.arange(len(rows)))
    with pytest.raises(DataError, match="Class `power` must have 5 training curves or more"):
        make_folds(part, task, 5, 0)
