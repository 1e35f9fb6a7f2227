"""What every format must do; a test class inherits it, names its format and makes an example."""

from pathlib import Path
from typing import Literal, get_origin

import numpy as np
import pytest
import xarray as xr
import yaml

from nmr_platform.datasets import load
from nmr_platform.errors import ConfigurationError, DataError
from nmr_platform.exchange import (
    FORMATS,
    Format,
    Record,
    export_dataset,
    export_options,
    guess_format,
    import_file,
    import_options,
    predict_options,
    read_file,
)
from tests.exchange.builders import quiet_experiment

__all__ = ["FormatContract"]


class FormatContract:
    """A format is told by its name, gives the store's layout or a record, and refuses with a sentence.

    Subclasses set `name`, write an example by `make`, and damage it by `damage`.
    """

    name: str

    def make(self, folder: Path, dataset: xr.Dataset) -> Path:
        """Write an example, of a data set or of `truth`; return its path."""
        raise NotImplementedError

    def damage(self, path: Path) -> None:
        """Make the example unreadable; by default a file of nothing, or an empty folder."""
        if path.is_dir():
            for file in path.iterdir():
                file.unlink()
        else:
            path.write_bytes(b"")

    @property
    def format(self) -> Format:
        return FORMATS[self.name]

    @pytest.fixture
    def example(self, dataset, tmp_path):
        return self.make(tmp_path, dataset)

    def test_it_is_in_the_table_under_its_own_name(self):
        assert self.format.name == self.name
        assert self.format.meaning

    def test_it_is_told_by_its_name_and_by_no_other_format(self, example):
        assert guess_format(example) == self.name
        assert [each.name for each in FORMATS.values() if each.recognises(example)] == [self.name]

    def test_its_options_have_a_meaning_a_type_and_the_default_of_the_function(self):
        for option in [*self.format.reading.values(), *self.format.writing.values()]:
            assert option.meaning
            assert option.kind in {str, int, float, bool, Path} or get_origin(option.kind) is Literal
            assert option.flag == f"--{option.name.replace('_', '-')}"

    def test_the_commands_offer_its_options_and_tell_what_it_is(self):
        for options, taken in ((import_options(), self.format.reading), (predict_options(), self.format.reading)):
            assert f"{self.name}: {self.format.meaning}" in options[0].meaning
            assert taken.keys() <= {option.name for option in options}
        assert self.format.writing.keys() <= {option.name for option in export_options()}

    def test_it_is_read_to_the_layout_of_the_store_or_to_a_record(self, example):
        read = read_file(example)
        assert isinstance(read, Record) == self.format.measured
        if isinstance(read, Record):
            assert read.source == example
            assert read.source_format
            assert np.iscomplexobj(read.signal)
            return
        assert read["m"].dims == read["m_z"].dims == ("curve", "time")
        assert (read["m"].dtype, read["m_z"].dtype) == (np.complex64, np.float32)
        assert read["time"].attrs["units"] == "us"
        assert read.attrs["echo_index"] >= 0
        assert read.attrs["digest"]

    def test_it_becomes_a_data_set(self, example, tmp_path):
        experiment = tmp_path / "hahn.yaml"
        experiment.write_text(yaml.safe_dump(quiet_experiment().model_dump(mode="json")))
        made = import_file(
            example, tmp_path / "set.zarr", **({"experiment": experiment} if self.format.measured else {})
        )
        kept = load(tmp_path / "set.zarr")
        assert made.format == self.name
        assert (made.curves, made.samples) == (kept.sizes["curve"], kept.sizes["time"])
        assert f"{made.curves} curves of {made.samples} samples" in str(made)
        assert made.facts["digest"] == kept.attrs["digest"]

    def test_an_option_that_it_would_ignore_is_refused(self, example):
        with pytest.raises(ConfigurationError, match=f"Option `--no-such` has no meaning for format {self.name}"):
            read_file(example, no_such=1)

    def test_what_is_missing_or_damaged_is_refused_by_its_name(self, example):
        missing = example.with_name(f"missing{example.suffix}")
        with pytest.raises(DataError, match="missing"):
            read_file(missing, format=self.name)
        self.damage(example)
        with pytest.raises(DataError, match=example.name):
            read_file(example, format=self.name)

    def test_what_it_writes_it_reads_to_the_same_bits_and_overwrites_nothing(self, dataset, tmp_path):
        out = tmp_path / f"out{''.join(self.format.suffixes[:1])}"
        if self.format.write is None:
            with pytest.raises(ConfigurationError, match=f"Format {self.name} is only read"):
                export_dataset(dataset, out, format=self.name)
            return
        counts = []
        export_dataset(dataset, out, format=self.name, progress=counts.append)
        assert sum(counts) == dataset.sizes["curve"]
        back = read_file(out)
        assert back["m"].to_numpy().tobytes() == dataset["m"].to_numpy().tobytes()
        np.testing.assert_allclose(back["time"], dataset["time"], rtol=1e-12)
        with pytest.raises(DataError, match=r"out.* exists; remove it or choose another name"):
            export_dataset(dataset, out, format=self.name)
        with pytest.raises((KeyError, ValueError), match=r"\bm\b"):
            export_dataset(dataset.drop_vars("m"), tmp_path / "broken", format=self.name)
        assert [path.name for path in tmp_path.iterdir()] == [out.name]
