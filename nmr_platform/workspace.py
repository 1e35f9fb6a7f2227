"""Where the files of a project lie."""

import os
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Workspace", "lasting_root", "repository_root"]


@dataclass(frozen=True)
class Workspace:
    """The folders of one project, all below its root.

    Attributes:
        root: Folder of dvc.yaml and params.yaml.
        is_designed: Whether data and features are those of the designed measurement; results have names of their own.
    """

    root: Path = Path()
    is_designed: bool = False

    @property
    def params(self) -> Path:
        """The parameter file."""
        return self.root / "params.yaml"

    def simulated(self, kernel: str) -> Path:
        """Data set of one kernel."""
        return self._data / "simulated" / f"{kernel}.zarr"

    def thumbnail(self, kernel: str) -> Path:
        """Picture of the first curves of one kernel's data set."""
        return self.simulated(kernel).with_suffix(".png")

    def preset(self, name: str, kernel: str) -> Path:
        """Data set of one kernel of a preset; apart from the pipeline's, which DVC owns.

        Args:
            name: The preset.
            kernel: The kernel.
        """
        return self.root / "data" / name / f"{kernel}.zarr"

    @property
    def features(self) -> Path:
        """Folder of the feature tables."""
        return self._data / "features"

    def tuned(self, task: str) -> Path:
        """What tuning found for one task."""
        return self.root / "results" / "tune" / f"{task}.json"

    @property
    def results(self) -> Path:
        """Folder of what the stages after the features leave."""
        return self.root / "results"

    def evaluated(self, task: str) -> Path:
        """Folder of one task's evaluation: its scores, and a folder ``<family>/<feature set>`` of every model."""
        return self.results / "evaluate" / task

    @property
    def disorder(self) -> Path:
        """Folder of the comparison of fresh with frozen disorder."""
        return self.root / "results" / "disorder"

    @property
    def pulses(self) -> Path:
        """Folder of the pulse search."""
        return self.root / "results" / "pulses"

    def metrics(self, name: str) -> Path:
        """DVC metrics of one task, or of the pulse search."""
        return self.root / "metrics" / f"{name}.json"

    @property
    def reports(self) -> Path:
        """Folder of the report."""
        return self.root / "reports"

    @property
    def shards(self) -> Path:
        """Finished shards: outside the DVC outputs, which DVC deletes before a stage runs."""
        return self.root / ".nmr" / "shards"

    @property
    def _data(self) -> Path:
        return self.root / "data" / "designed" if self.is_designed else self.root / "data"

    def lock(self, path: Path) -> Path:
        """The lock that whoever makes ``path`` holds, see `files.alone`.

        Who is slower would replace what the other one has made and told of, perhaps from other parameters: a stage that
        outlived its `dvc repro`, for instance.

        Args:
            path: A file or folder that a command makes.
        """
        name = os.path.relpath(path.absolute(), self.root.absolute()).replace(os.sep, "-")
        return self.root / ".nmr" / "making" / f"{name}.lock"

    @property
    def records(self) -> Path:
        """Records of the sequences that pulse searches tried: they can be lost, and are made again."""
        return self.studies.with_name("records")

    @property
    def studies(self) -> Path:
        """Folder of the study journal: of the repository itself, if this is a copy in which DVC runs an experiment."""
        return lasting_root(self.root) / ".nmr" / "studies"


def repository_root(start: Path | None = None) -> Path:
    """Find the repository: ``DVC_ROOT``, else the nearest folder with ``params.yaml`` or ``.git``, else ``start``.

    Args:
        start: Where to look from; the working directory by default.
    """
    start = (start or Path.cwd()).absolute()
    if "DVC_ROOT" in os.environ:
        return Path(os.environ["DVC_ROOT"]).absolute()
    return next((folder for folder in [start, *start.parents] if _is_root(folder)), start)


def lasting_root(root: Path) -> Path:
    """The repository that outlives ``root``: DVC runs queued experiments in a copy which it deletes."""
    original, copied, _ = root.absolute().as_posix().partition("/.dvc/tmp/")
    return Path(original) if copied else root


def _is_root(folder: Path) -> bool:
    return (folder / "params.yaml").is_file() or (folder / ".git").exists()
