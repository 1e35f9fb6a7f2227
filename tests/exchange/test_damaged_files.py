"""Whatever happened to a file, its reader gives a value or one sentence: no traceback, no hang, no gigabyte."""

import resource
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nmr_platform.errors import NmrPlatformError
from nmr_platform.exchange import read_file
from nmr_platform.exchange.curves.hdf5 import _SEALED
from nmr_platform.physics import Experiment
from nmr_platform.schema import read_value
from tests.exchange import test_formats
from tests.exchange.builders import quiet_experiment
from tests.exchange.format_contract import FormatContract

# Zarr tells of files that it does not know.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

HANGING = 60
EXAMPLES = 120
GIGABYTE_IN_KB = 2**20
CONTRACTS = {each.name: each for each in FormatContract.__subclasses__() if each.__module__ == test_formats.__name__}
# Without our digest at its end.
FOREIGN = "hdf5 of another program"
READERS = [*CONTRACTS, "experiment", FOREIGN]
# Each is read by a process of its own first.
FEW_EXAMPLES = 20


@st.composite
def damaged(draw, content: bytes) -> bytes:
    """The content cut, with bytes or bits flipped, lines swapped, or a piece lost, doubled or blanked."""
    place = st.integers(0, max(len(content) - 1, 0))
    kind = draw(st.sampled_from(["cut", "bytes", "bits", "lines", "lost", "doubled", "blanked", "replaced"]))
    if kind == "cut":
        return content[: draw(place)]
    if kind in ("bytes", "bits"):
        changed = bytearray(content)
        for at in draw(st.lists(place, min_size=1, max_size=16)):
            changed[at] = draw(st.integers(0, 255)) if kind == "bytes" else changed[at] ^ 1 << draw(st.integers(0, 7))
        return bytes(changed)
    if kind == "lines":
        lines = content.split(b"\n")
        line = st.integers(0, len(lines) - 1)
        one, other = draw(line), draw(line)
        lines[one], lines[other] = lines[other], lines[one]
        return b"\n".join(lines)
    start, end = sorted((draw(place), draw(place)))
    piece = {
        "lost": b"",
        "doubled": 2 * content[start:end],
        "blanked": bytes(end - start),
        "replaced": draw(st.binary(max_size=64)),
    }[kind]
    return content[:start] + piece + content[end:]


@contextmanager
def within_reason() -> Iterator[None]:
    """End what hangs, and refuse what takes a gigabyte."""

    def give_up(*_: object) -> None:
        message = f"nothing came back within {HANGING} s"
        raise AssertionError(message)

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    handler = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(HANGING)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, handler)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < GIGABYTE_IN_KB


@pytest.fixture(scope="module", params=READERS)
def reader(request, dataset, tmp_path_factory) -> tuple[Callable[[], object], list[Path]]:
    """How an example is read whole, and its files."""
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "experiment":
        path = folder / "hahn.yaml"
        path.write_text(yaml.safe_dump(quiet_experiment().model_dump(mode="json")))
        return lambda: read_value(path, Experiment), [path]
    if request.param == FOREIGN:
        path = CONTRACTS["hdf5"]().make(folder, dataset)
        path.write_bytes(path.read_bytes()[:-_SEALED])
        return lambda: read_file(path, format="hdf5"), [path]
    example = CONTRACTS[request.param]().make(folder, dataset)
    if request.param == "text":
        # Without it, more is computed from the other files.
        (example / "w_list.txt").unlink()

    def read() -> None:
        getattr(read_file(example, format=request.param), "load", lambda: None)()

    return read, sorted(path for path in example.rglob("*") if path.is_file()) or [example]


def test_a_damaged_file_gives_a_value_or_one_sentence(reader, request):
    read, files = reader
    whole = {path: path.read_bytes() for path in files}

    @settings(
        max_examples=FEW_EXAMPLES if {FOREIGN, "dnmr"} & {*request.node.callspec.params.values()} else EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def survives(data):
        path = data.draw(st.sampled_from(files), "file")
        path.write_bytes(data.draw(damaged(whole[path]), "content"))
        try:
            with within_reason():
                read()
        except NmrPlatformError as error:
            assert "\n" not in str(error)
        finally:
            path.write_bytes(whole[path])

    read()
    survives()
