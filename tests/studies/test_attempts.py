"""Which running trials are taken for abandoned, and when."""

import socket
from datetime import datetime, timedelta

import optuna
import pytest
from optuna.trial import TrialState, create_trial

from nmr_platform.processes import this_process
from nmr_platform.studies.attempts import OWNER, SUPERFLUOUS, abandon_own, is_abandoned, recover, try_again

ELSEWHERE = "another-machine:1:0.00"
# No process has this number: it is above the largest that Linux gives.
GONE = f"{socket.gethostname()}:{2**30}:0.00"


def study_with(owner, age):
    study = optuna.create_study(direction="maximize")
    trial = create_trial(state=TrialState.RUNNING, user_attrs={} if owner is None else {OWNER: owner})
    trial.datetime_start = datetime.now() - age
    study.add_trial(trial)
    return study


@pytest.mark.parametrize(
    ("owner", "beats", "waited"),
    [
        (None, False, timedelta(minutes=1)),
        (ELSEWHERE, False, timedelta(hours=1)),
        (ELSEWHERE, True, timedelta(days=1)),
    ],
    ids=["of nobody", "of another machine", "of another machine that is heard of"],
)
def test_a_trial_is_waited_for_so_long_and_then_tried_again(owner, beats, waited):
    young, old = study_with(owner, 0.9 * waited), study_with(owner, 1.1 * waited)
    assert recover(young, beats=beats) == 0
    assert [trial.state for trial in young.trials] == [TrialState.RUNNING]
    assert recover(old, beats=beats) == 1
    assert [trial.state for trial in old.trials] == [TrialState.FAIL, TrialState.WAITING]


def test_a_process_of_this_machine_is_asked_whether_it_lives():
    assert recover(study_with(GONE, timedelta(0)), beats=False) == 1
    assert recover(study_with(this_process(), timedelta(days=300)), beats=False) == 0


@pytest.mark.parametrize(
    ("n_before", "superfluous", "abandoned"), [(1, False, True), (2, False, False), (2, True, True)]
)
def test_the_third_attempt_that_fails_counts_unless_it_was_one_trial_too_many(n_before, superfluous, abandoned):
    trial = create_trial(
        state=TrialState.FAIL,
        user_attrs={SUPERFLUOUS: True} if superfluous else {},
        system_attrs={"failed_trial": 0, "retry_history": list(range(n_before))},
    )
    assert is_abandoned(trial) is abandoned


def test_a_process_that_ends_gives_back_its_own_trials_alone():
    own, other = study_with(this_process(), timedelta(0)), study_with(ELSEWHERE, timedelta(0))
    for study in (own, other):
        abandon_own(study)
    assert [trial.state for trial in own.trials] == [TrialState.FAIL, TrialState.WAITING]
    assert [trial.state for trial in other.trials] == [TrialState.RUNNING]


def test_a_point_is_lined_up_once_however_often_that_is_asked():
    study = study_with(this_process(), timedelta(0))
    failed = study.tell(0, state=TrialState.FAIL)
    try_again(study, failed)
    try_again(study, failed)
    assert [trial.state for trial in study.trials] == [TrialState.FAIL, TrialState.WAITING]
