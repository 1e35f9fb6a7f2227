"""Where the files of a project lie."""

from dataclasses import dataclass
from pathlib import Path

from nmr_platform.tracking import lasting_root

__all__ = ["Workspace"]


@dataclass(frozen=True)
class Workspace:
    """The folders of one project, all below its root.

    Attributes:
        root: Folder of dvc.yaml and params.yaml.
    """

    root: Path = Path()

    @property
    def params(self) -> Path:
        """The parameter file."""
        return self.root / "params.yaml"

    def simulated(self, kernel: str) -> Path:
        """Data set of one kernel."""
        return self.root / "data" / "simulated" / f"{kernel}.zarr"

    def thumbnail(self, kernel: str) -> Path:
        """Picture of the first curves of one kernel's data set."""
        return self.simulated(kernel).with_suffix(".png")

    def preset(self, name: str, kernel: str) -> Path:
        """Data set of one kernel of a preset; apart from the pipeline's, which DVC owns."""
        return self.root / "data" / name / f"{kernel}.zarr"

    @property
    def features(self) -> Path:
        """Folder of the feature tables."""
        return self.root / "data" / "features"

    def tuned(self, task: str) -> Path:
        """What tuning found for one task."""
        return self.root / "results" / "tune" / f"{task}.json"

    def evaluated(self, task: str) -> Path:
        """Folder of one task's evaluation."""
        return self.root / "results" / "evaluate" / task

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
    def records(self) -> Path:
        """Records of the sequences that pulse searches tried: they can be lost, and are made again."""
        return self.studies.with_name("records")

    @property
    def studies(self) -> Path:
        """Folder of the study journal: of the repository itself, if this is a copy in which DVC runs an experiment."""
        return lasting_root(self.root) / ".nmr" / "studies"
