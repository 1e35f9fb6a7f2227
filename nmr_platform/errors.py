"""The exceptions of the platform: one base, and subclasses that carry the offending value."""

__all__ = [
    "ConfigurationError",
    "DataError",
    "NmrPlatformError",
    "StoreAwayError",
    "TrackingError",
    "UnmetNeedError",
]


class NmrPlatformError(Exception):
    """Base of everything that this package raises on purpose.

    The command line prints its message as one sentence and exits with code 2.
    """


class ConfigurationError(NmrPlatformError):
    """An argument or a parameter file is not acceptable.

    Args:
        message: The sentence for the user.
        key: Dotted name of the offending key, for instance ``coupling.alpha_x``.
        value: The offending value.
    """

    def __init__(self, message: str, *, key: str = "", value: object = None) -> None:
        super().__init__(message)
        self.key = key
        self.value = value


class DataError(NmrPlatformError):
    """A data set, feature table or result file is missing, damaged or of another version.

    Args:
        message: The sentence for the user.
        path: The offending file or folder.
    """

    def __init__(self, message: str, *, path: object = None) -> None:
        super().__init__(message)
        self.path = path


class UnmetNeedError(DataError):
    """A record does not give what features, and so a model, need of it; another model may do without.

    Args:
        message: The sentence for the user.
        need: What is needed: ``samples``, ``dwell``, ``height``, ``phase`` or ``offset``.
        value: What the record gives instead.
        path: The offending file or folder.
    """

    def __init__(self, message: str, *, need: str, value: object = None, path: object = None) -> None:
        super().__init__(message, path=path)
        self.need = need
        self.value = value


class TrackingError(NmrPlatformError):
    """The tracking store cannot be reached or refuses what it was sent."""


class StoreAwayError(TrackingError):
    """The tracking store does not answer, or not now: the same call may succeed later."""
