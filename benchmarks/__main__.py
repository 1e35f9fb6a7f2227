"""Run every benchmark."""

from benchmarks import features

features.main()
