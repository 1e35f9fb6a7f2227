"""Formats of measured echoes, one file or room each; every one reads to a `Record`."""
