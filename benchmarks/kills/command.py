"""`python -m benchmarks kills`: play rounds of all scenarios, and print a table."""

import argparse
import json
import shutil
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict
from pathlib import Path
from threading import Event
from types import FrameType
from typing import NoReturn

import numpy as np

from benchmarks.kills.family import Family
from benchmarks.kills.project import Projects
from benchmarks.kills.rounds import Played, play, uninterrupted
from benchmarks.kills.scenarios import SCENARIOS, Scenario
from nmr_platform.workspace import repository_root

__all__ = ["main"]

_BESIDE = 2
_HEADER = ("command", "projects", "SIGKILL", "SIGTERM", "restarts", "refused beside an orphan", "violations")


def main(arguments: Sequence[str]) -> None:
    """Kill and check; exit code 1 if anything is not as without kills.

    Args:
        arguments: Of the command line.
    """
    asked = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _end)
    chosen = [scenario for scenario in SCENARIOS if scenario.name in (asked.only or [scenario.name])]
    with tempfile.TemporaryDirectory(prefix="nmr-kills-") as folder:
        projects = Projects(Path(folder))
        kept = _Kept(projects.digest, asked.seed)
        shares = zip(chosen, _shares(asked.kills, len(chosen)), _shares(asked.terms, len(chosen)), strict=True)
        campaigns = [
            _Campaign(scenario, Counter(SIGKILL=kills, SIGTERM=terms), asked.seed, projects, kept, asked.keep)
            for scenario, kills, terms in shares
        ]
        with ThreadPoolExecutor(_BESIDE) as pool:
            running = [pool.submit(campaign.run) for campaign in campaigns]
            try:
                for each in as_completed(running):
                    each.result()
            except BaseException:
                for each, campaign in zip(running, campaigns, strict=True):
                    each.cancel()
                    campaign.stop()
                raise
    played = [each for each in kept.rounds if each.scenario in {scenario.name for scenario in chosen}]
    _print(chosen, played)
    kept.forget()
    sys.exit(1 if any(each.violations for each in played) else 0)


class _Kept:
    """The rounds of this code and seed that an interrupted call has played already, and those of this one."""

    def __init__(self, digest: str, seed: int) -> None:
        self._path = repository_root() / ".nmr" / "kills" / f"{digest[:12]}-{seed}.jsonl"
        lines = self._path.read_text(encoding="utf-8").splitlines() if self._path.exists() else []
        self.rounds = [Played(**json.loads(line)) for line in lines]

    def add(self, played: Played) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(played)) + "\n")
        self.rounds.append(played)

    def of(self, scenario: Scenario) -> list[Played]:
        return [each for each in self.rounds if each.scenario == scenario.name]

    def forget(self) -> None:
        self._path.unlink(missing_ok=True)


class _Campaign:
    """The rounds of one scenario."""

    def __init__(
        self, scenario: Scenario, wanted: Counter[str], seed: int, projects: Projects, kept: _Kept, keep: Path | None
    ) -> None:
        self._scenario, self._wanted, self._seed = scenario, wanted, seed
        self._projects, self._kept, self._keep = projects, kept, keep
        self._family: Family | None = None
        self._stopped = Event()

    def stop(self) -> None:
        """Have `run` end soon: a round that is being played does not count."""
        self._stopped.set()
        if self._family is not None:
            self._family.send(signal.SIGKILL)

    def run(self) -> None:
        """Play until all signals are sent."""
        scenario, slug = self._scenario, self._scenario.name.replace(" ", "-")
        starts, seconds, expected = {}, {}, {}
        for fresh in scenario.variants if self._left() else ():
            starts[fresh] = self._projects.start(scenario, fresh=fresh)
            self._family = Family(self._projects.copied(starts[fresh], f"{slug}-whole-{fresh}"))
            seconds[fresh], expected[fresh] = uninterrupted(scenario, self._family)
        number = len(self._kept.of(scenario))
        while (left := self._left()) and not self._stopped.is_set():
            fresh = scenario.variants[number % len(scenario.variants)]
            folder = self._projects.copied(starts[fresh], f"{slug}-{number}")
            rng = np.random.default_rng([self._seed, SCENARIOS.index(scenario), number])
            self._family = Family(folder)
            played = play(scenario, number, self._family, expected[fresh], seconds=seconds[fresh], left=left, rng=rng)
            if self._stopped.is_set():
                return
            seconds[fresh] = played.seconds
            self._kept.add(played)
            self._tell(played)
            if played.violations and self._keep is not None:
                shutil.copytree(folder, self._keep / folder.name, symlinks=True, dirs_exist_ok=True)
                shutil.copy(folder.with_name(f"{folder.name}.log"), self._keep)
            self._projects.remove(folder)
            number += 1

    def _left(self) -> Counter[str]:
        sent = (Counter(each.signals) for each in self._kept.of(self._scenario))
        return self._wanted - sum(sent, Counter[str]())

    def _tell(self, played: Played) -> None:
        said = [f"{played.scenario}, project {played.number}: {played.story}"]
        said += [f"  {kind}: {detail}" for kind, detail in played.violations]
        print("\n".join([*said, f"  {self._left().total()} signals to come"]), file=sys.stderr, flush=True)


def _shares(total: int, parts: int) -> list[int]:
    return [total // parts + (number < total % parts) for number in range(parts)]


def _print(chosen: Sequence[Scenario], played: Sequence[Played]) -> None:
    rows = [_row(scenario.name, [each for each in played if each.scenario == scenario.name]) for scenario in chosen]
    for row in (_HEADER, ("---", *["---:"] * (len(_HEADER) - 2), "---"), *rows, _row("all", played)):
        print("|", " | ".join(row), "|")


def _row(name: str, played: Sequence[Played]) -> tuple[str, ...]:
    sent = sum((Counter(each.signals) for each in played), Counter[str]())
    numbers = (
        *(len(played), sent["SIGKILL"], sent["SIGTERM"]),
        *(sum(each.restarts for each in played), sum(each.refusals for each in played)),
    )
    kinds = Counter(kind for each in played for kind, _ in each.violations)
    found = ", ".join(f"{number} {kind}" for kind, number in sorted(kinds.items())) or "0"
    return (name, *map(str, numbers), found)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m benchmarks kills", description=main.__doc__)
    parser.add_argument("--kills", type=int, default=200, help="SIGKILLs, shared among the commands")
    parser.add_argument("--terms", type=int, default=50, help="SIGTERMs, shared among the commands")
    parser.add_argument("--seed", type=int, default=0, help="of moments, signals, and to whom they go")
    names = [scenario.name for scenario in SCENARIOS]
    parser.add_argument("--only", action="append", choices=names, metavar="COMMAND", help=f"one of {', '.join(names)}")
    parser.add_argument("--keep", type=Path, help="folder that projects with violations are copied to")
    return parser


def _end(number: int, _: FrameType | None) -> NoReturn:
    # Whoever asks twice waits all the same for what is cleared up.
    signal.signal(number, signal.SIG_IGN)
    sys.exit(128 + number)
