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
from types import FrameType
from typing import NoReturn

import numpy as np

from benchmarks.kills.project import Projects
from benchmarks.kills.rounds import Round, play, uninterrupted
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
            _Campaign(scenario, {"SIGKILL": kills, "SIGTERM": terms}, asked.seed, projects, kept, asked.keep)
            for scenario, kills, terms in shares
        ]
        with ThreadPoolExecutor(_BESIDE) as pool:
            running = [pool.submit(campaign.run) for campaign in campaigns]
            try:
                for each in as_completed(running):
                    each.result()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                for campaign in campaigns:
                    campaign.is_stopped = True
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
        self.rounds = [Round(**json.loads(line)) for line in lines]

    def add(self, played: Round) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(played)) + "\n")
        self.rounds.append(played)

    def of(self, scenario: Scenario) -> list[Round]:
        return [each for each in self.rounds if each.scenario == scenario.name]

    def forget(self) -> None:
        self._path.unlink(missing_ok=True)


class _Campaign:
    """The rounds of one scenario."""

    def __init__(
        self, scenario: Scenario, wanted: dict[str, int], seed: int, projects: Projects, kept: _Kept, keep: Path | None
    ) -> None:
        self._scenario, self._wanted, self._seed = scenario, wanted, seed
        self._projects, self._kept, self._keep = projects, kept, keep
        self.is_stopped = False

    def run(self) -> None:
        """Play until all signals are sent."""
        scenario, slug = self._scenario, self._scenario.name.replace(" ", "-")
        starts = {fresh: self._projects.start(scenario, fresh=fresh) for fresh in scenario.variants}
        expected = {
            fresh: uninterrupted(scenario, self._projects.copied(start, f"{slug}-whole-{fresh}"))
            for fresh, start in starts.items()
        }
        number = len(self._kept.of(scenario))
        while any((left := self._left()).values()) and not self.is_stopped:
            fresh = scenario.variants[number % len(scenario.variants)]
            folder = self._projects.copied(starts[fresh], f"{slug}-{number}")
            rng = np.random.default_rng([self._seed, SCENARIOS.index(scenario), number])
            played = play(scenario, number, folder, expected[fresh], left, rng)
            self._kept.add(played)
            self._tell(played, left)
            if played.violations and self._keep is not None:
                shutil.copytree(folder, self._keep / folder.name, symlinks=True, dirs_exist_ok=True)
                shutil.copy(folder.with_name(f"{folder.name}.log"), self._keep)
            shutil.rmtree(folder)
            shutil.rmtree(folder.with_name(f"{folder.name}.tmp"), ignore_errors=True)
            number += 1

    def _left(self) -> dict[str, int]:
        played = self._kept.of(self._scenario)
        sent = {"SIGKILL": sum(each.kills for each in played), "SIGTERM": sum(each.terms for each in played)}
        return {name: max(0, number - sent[name]) for name, number in self._wanted.items()}

    def _tell(self, played: Round, left: dict[str, int]) -> None:
        to_come = sum(left.values()) - played.kills - played.terms
        said = [f"{played.scenario}, project {played.number}: {', '.join(played.signals) or 'no signal in time'}"]
        said += [f"  {kind}: {detail}" for kind, detail in played.violations]
        print("\n".join([*said, f"  {to_come} signals to come"]), file=sys.stderr, flush=True)


def _shares(total: int, parts: int) -> list[int]:
    return [total // parts + (number < total % parts) for number in range(parts)]


def _print(chosen: Sequence[Scenario], played: Sequence[Round]) -> None:
    rows = [_row(scenario.name, [each for each in played if each.scenario == scenario.name]) for scenario in chosen]
    for row in (_HEADER, ("---", *["---:"] * (len(_HEADER) - 2), "---"), *rows, _row("all", played)):
        print("|", " | ".join(row), "|")


def _row(name: str, played: Sequence[Round]) -> tuple[str, ...]:
    numbers = (sum(getattr(each, of) for each in played) for of in ("kills", "terms", "restarts", "refusals"))
    kinds = Counter(kind for each in played for kind, _ in each.violations)
    found = ", ".join(f"{number} {kind}" for kind, number in sorted(kinds.items())) or "0"
    return (name, str(len(played)), *map(str, numbers), found)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m benchmarks kills", description=main.__doc__)
    parser.add_argument("--kills", type=int, default=200, help="SIGKILLs, shared among the commands")
    parser.add_argument("--terms", type=int, default=50, help="SIGTERMs, shared among the commands")
    parser.add_argument("--seed", type=int, default=0, help="of moments, signals, and to whom they go")
    names = [scenario.name for scenario in SCENARIOS]
    parser.add_argument("--only", action="append", choices=names, metavar="COMMAND", help=f"one of {', '.join(names)}")
    parser.add_argument("--keep", type=Path, help="folder that projects with violations are copied to")
    return parser


def _end(_: int, __: FrameType | None) -> NoReturn:
    sys.exit(143)
