"""A set of sequences that grows: what is there stays, and what helps most is added."""

from pathlib import Path

from pydantic import ConfigDict, Field

from nmr_platform.designed import BEST, read_sequences
from nmr_platform.errors import ConfigurationError
from nmr_platform.physics import Sequence
from nmr_platform.pulse_design.spaces import SearchSpace, SequenceSet
from nmr_platform.schema import Count, Schema, validate

__all__ = ["Growth"]


class Growth(Schema):
    """How many sequences are searched together, beside those that are there.

    Attributes:
        source: ``from``: a file with ``sequences``, or the folder of a search whose best set it is, below that of the
            parameter file; null to begin with nothing.
        add: How many sequences of the space are added, searched jointly; one to grow greedily, search by search.
    """

    model_config = ConfigDict(populate_by_name=True)

    source: str | None = Field(default=None, alias="from")
    add: Count = 1

    def over(self, space: SearchSpace, root: Path) -> SearchSpace:
        """The space of what is kept and what is added.

        Args:
            space: Of one sequence, which stands for every one that is added.
            root: Folder of the parameter file.

        Raises:
            ConfigurationError: The file is not there or holds no sequences, or the space has several.
        """
        if len(space.sequences) > 1:
            message = (
                f"Key `pulse_search.space.sequences` must have one entry beside `grow`, but has {len(space.sequences)}."
            )
            raise ConfigurationError(message, key="pulse_search.space.sequences")
        changed = {"keep": self._kept(root), "sequences": space.sequences * self.add}
        return validate(SearchSpace, {**dict(space), **changed}, where="pulse_search.space")

    def _kept(self, root: Path) -> dict[str, Sequence]:
        if self.source is None:
            return {}
        path = root / self.source
        held = read_sequences(path / BEST if path.is_dir() else path)
        if "sequences" not in held:
            message = f"File `{path}` must hold `sequences`, which are kept, but does not."
            raise ConfigurationError(message, key="pulse_search.grow.from", value=self.source)
        return validate(SequenceSet, held).sequences
