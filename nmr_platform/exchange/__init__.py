"""Data sets and measured echoes in the formats of other programs and instruments."""

from nmr_platform.exchange.curves.csv_folder import read_csv, write_csv
from nmr_platform.exchange.curves.hdf5 import read_hdf5, write_hdf5
from nmr_platform.exchange.curves.text import read_text
from nmr_platform.exchange.curves.text_writer import write_text
from nmr_platform.exchange.format import Format, Option
from nmr_platform.exchange.formats import (
    CORRECTIONS,
    FORMATS,
    export_dataset,
    export_options,
    guess_format,
    import_options,
    options_for_reading,
    predict_options,
    read_file,
    read_records,
    refuse_ignored,
)
from nmr_platform.exchange.importing import Imported, import_file
from nmr_platform.exchange.instruments.bruker import read_bruker
from nmr_platform.exchange.instruments.delimited import read_delimited
from nmr_platform.exchange.instruments.dnmr import read_dnmr
from nmr_platform.exchange.instruments.jcampdx import read_jcampdx
from nmr_platform.exchange.instruments.kea import read_kea
from nmr_platform.exchange.instruments.nmrpipe import read_nmrpipe
from nmr_platform.exchange.instruments.simpson import read_simpson
from nmr_platform.exchange.instruments.tecmag import read_tecmag
from nmr_platform.exchange.records.corrections import Corrections, Since, beginning, correct, find_corrections
from nmr_platform.exchange.records.measured import MAGNITUDE_ONLY, Method, measured_curve, resample
from nmr_platform.exchange.records.record import Record
from nmr_platform.exchange.records.several import paired

__all__ = [
    "CORRECTIONS",
    "FORMATS",
    "MAGNITUDE_ONLY",
    "Corrections",
    "Format",
    "Imported",
    "Method",
    "Option",
    "Record",
    "Since",
    "beginning",
    "correct",
    "export_dataset",
    "export_options",
    "find_corrections",
    "guess_format",
    "import_file",
    "import_options",
    "measured_curve",
    "options_for_reading",
    "paired",
    "predict_options",
    "read_bruker",
    "read_csv",
    "read_delimited",
    "read_dnmr",
    "read_file",
    "read_hdf5",
    "read_jcampdx",
    "read_kea",
    "read_nmrpipe",
    "read_records",
    "read_simpson",
    "read_tecmag",
    "read_text",
    "refuse_ignored",
    "resample",
    "write_csv",
    "write_hdf5",
    "write_text",
]
