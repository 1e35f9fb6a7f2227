"""Learning the coupling from echoes: tasks, model families, honest splits, studies and their evaluation."""

import os

# XGBoost's OpenMP threads otherwise wait for each other in busy loops: with anything else on the cores, a fit then
# takes ten times as long. It is read when XGBoost is loaded; whoever sets it outside keeps what was set.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
