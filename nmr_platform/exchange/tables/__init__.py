"""Text and tables of numbers from elsewhere: encodings, separators, decimal marks, and names of columns."""

from nmr_platform.exchange.tables.echo import EchoColumns, echo_columns, echo_names
from nmr_platform.exchange.tables.numbers import NumberTable, parse_numbers
from nmr_platform.exchange.tables.source import MOST_OF_A_RECORD, MOST_OF_A_TABLE, check_file, decoded, read_content
from nmr_platform.exchange.tables.times import spacing_of
from nmr_platform.exchange.tables.traces import MICROSECONDS

__all__ = [
    "MICROSECONDS",
    "MOST_OF_A_RECORD",
    "MOST_OF_A_TABLE",
    "EchoColumns",
    "NumberTable",
    "check_file",
    "decoded",
    "echo_columns",
    "echo_names",
    "parse_numbers",
    "read_content",
    "spacing_of",
]
