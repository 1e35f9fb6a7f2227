"""Fitted estimators at rest: skops, never a pickle."""

import json
import zipfile
from pathlib import Path
from typing import Any

from nmr_platform.errors import DataError
from nmr_platform.learning.models.estimator import ScaledTarget
from nmr_platform.learning.models.families import FAMILIES

__all__ = ["load_estimator", "save_estimator", "trusted_types"]

_AROUND_MODELS = (
    f"{ScaledTarget.__module__}.{ScaledTarget.__name__}",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.calibration._TemperatureScaling",
)
_SCHEMA = "schema.json"


def trusted_types() -> list[str]:
    """What a model may hold beyond the types that skops trusts by itself.

    A name that a file brings along is never added, which is why MLflow's skops format, whose trusted types are written
    beside the model, is not used here.
    """
    return sorted({*_AROUND_MODELS, *(name for kind in FAMILIES for name in kind.trusted_types)})


def save_estimator(estimator: Any, folder: Path) -> str:
    """Write a fitted estimator into ``folder``, the same bytes for the same estimator.

    Args:
        estimator: A regressor, classifier, detector or pipeline.
        folder: Where to; it exists.

    Returns:
        Name of the file.

    Raises:
        DataError: It holds types that `load_estimator` would refuse.
    """
    import skops.io  # noqa: PLC0415 its import takes seconds

    name = f"{type(estimator).__name__}.skops"
    skops.io.dump(estimator, folder / name)
    _require_known_types(folder / name)
    _settle(folder / name)
    return name


def load_estimator(path: Path) -> Any:
    """Read what `save_estimator` wrote; no code that comes with the file is run.

    Raises:
        DataError: The file is missing or damaged, holds types that no model of this package is made of, or needs a
            library that is not here.
    """
    import skops.io  # noqa: PLC0415 its import takes seconds
    from skops.io.exceptions import UntrustedTypesFoundException  # noqa: PLC0415

    try:
        _require_known_types(path)
        return skops.io.load(path, trusted=trusted_types())
    except UntrustedTypesFoundException as error:
        message = f"Model file `{path}` must hold no types but those of a model, but holds others: {error}"
        raise DataError(message, path=path) from error
    except ImportError as error:
        extra = str(error.name).partition(".")[0]
        message = (
            f"Model file `{path}` needs a library that the default set-up leaves out: "
            f"`pip install 'nmr-platform[{extra}]'` installs it."
        )
        raise DataError(message, path=path) from error
    except (OSError, KeyError, ValueError, TypeError, zipfile.BadZipFile) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        message = f"Model file `{path}` is missing or damaged ({reason}); make it again with `nmr evaluate`."
        raise DataError(message, path=path) from error


def _settle(path: Path) -> None:
    """Rewrite a skops file, in which things are named by their address in memory and dated, without either."""
    with zipfile.ZipFile(path) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    schema = json.loads(contents.pop(_SCHEMA))
    ids: dict[int, int] = {}
    names: dict[str, str] = {}

    def rename(node: Any) -> None:
        for key, value in list(node.items()) if isinstance(node, dict) else enumerate(node):
            if key == "__id__":
                node[key] = ids.setdefault(value, len(ids) + 1)
            elif key == "file" and value in contents:
                node[key] = names.setdefault(value, f"{len(names)}{Path(value).suffix}")
            elif isinstance(value, dict | list):
                rename(value)

    rename(schema)
    with zipfile.ZipFile(path, "w") as archive:
        renamed = {new: contents[old] for old, new in names.items()}
        for name, content in {**renamed, _SCHEMA: json.dumps(schema).encode()}.items():
            # The date of a ZipInfo is 1980, whenever it is made.
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)


def _require_known_types(path: Path) -> None:
    import skops.io  # noqa: PLC0415 its import takes seconds

    foreign = sorted(set(skops.io.get_untrusted_types(file=path)) - set(trusted_types()))
    if foreign:
        message = (
            f"Model file `{path}` must be made of types of scikit-learn, boosting libraries and this package that are "
            f"known to be harmless, but holds {', '.join(foreign)}."
        )
        raise DataError(message, path=path)
