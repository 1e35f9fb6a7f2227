"""Formats that hold data sets of curves with their parameters: ours and those of other simulators, one file each."""
