"""What the report says of a champion."""

from nmr_platform.learning import JointTask
from nmr_platform.reporting import notes_on


def test_of_a_joint_task_every_target_is_told_and_all_together():
    values = {"coverage_X": 0.91, "r2_X": 0.99, "coverage_xi": 0.88, "r2_xi": 0.3, "energy": 0.4, "prior_energy": 1.1}
    champion = {name: {"value": value} for name, value in values.items()}
    (note,) = notes_on(JointTask(targets=("X", "xi")), champion, 0.9)
    assert "X 91.0% (R2 0.990), xi 88.0% (R2 0.300)" in note
    assert "energy score 0.400, 1.100 without a record" in note
