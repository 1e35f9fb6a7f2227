"""A project of its own in another folder: the pipeline of this repository, which comes with the package."""

from nmr_platform.project.code import write_code
from nmr_platform.project.laid import Laid, lay_down
from nmr_platform.project.measured import WIDENED, Seen, params_of, read_off

__all__ = ["WIDENED", "Laid", "Seen", "lay_down", "params_of", "read_off", "write_code"]
