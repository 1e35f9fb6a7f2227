"""Data sets and measured echoes in the formats of other programs and instruments."""

from nmr_platform.exchange.bruker import read_bruker
from nmr_platform.exchange.corrections import Corrections, correct, find_corrections
from nmr_platform.exchange.csv_folder import CsvTable, read_csv, write_csv
from nmr_platform.exchange.delimited import TimeUnit, read_delimited
from nmr_platform.exchange.formats import ImportFormat, guess_format
from nmr_platform.exchange.hdf5 import read_hdf5, write_hdf5
from nmr_platform.exchange.measured import Outside, measured_curve
from nmr_platform.exchange.record import Record
from nmr_platform.exchange.resampling import Method, resample
from nmr_platform.exchange.tecmag import read_tecmag
from nmr_platform.exchange.text_format import TextLayoutName
from nmr_platform.exchange.text_reader import KernelName, read_text
from nmr_platform.exchange.text_writer import write_text

__all__ = [
    "Corrections",
    "CsvTable",
    "ImportFormat",
    "KernelName",
    "Method",
    "Outside",
    "Record",
    "TextLayoutName",
    "TimeUnit",
    "correct",
    "find_corrections",
    "guess_format",
    "measured_curve",
    "read_bruker",
    "read_csv",
    "read_delimited",
    "read_hdf5",
    "read_tecmag",
    "read_text",
    "resample",
    "write_csv",
    "write_hdf5",
    "write_text",
]
