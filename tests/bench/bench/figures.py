"""From rows to figures: min, median and max of the rounds, and whether the goals are met. Nothing here measures."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

Row = dict[str, Any]

MIB = 1024 * 1024
MEMORY_GOAL = 20 * MIB


@dataclass(frozen=True)
class Spread:
    """Smallest, middle and largest value of the rounds."""

    minimum: float
    median: float
    maximum: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        values = list(values)
        return cls(min(values), statistics.median(values), max(values))


def cpu_microseconds(row: Row) -> float:
    return float(row["cpu_seconds"]) / int(row["requests"]) * 1e6


def per_second(row: Row) -> float:
    return int(row["requests"]) / float(row["seconds"])


def milliseconds(percentile: str) -> Callable[[Row], float]:
    return lambda row: float(row["latency"][percentile]) * 1e3


def field(name: str) -> Callable[[Row], float]:
    return lambda row: float(row[name])


@dataclass(frozen=True)
class Figures:
    """All rows of a run."""

    rows: list[Row]

    def subjects(self, part: str) -> list[str]:
        """In the order of the first round."""
        return list(dict.fromkeys(row["subject"] for row in self.rows if row["part"] == part))

    def subjects_by(self, part: str, value: Callable[[Row], float]) -> list[str]:
        """From the smallest median to the largest."""
        return sorted(self.subjects(part), key=lambda subject: self.spread(part, subject, value).median)

    def rates(self) -> list[int]:
        return sorted({row["rate"] for row in self.rows if row["part"] == "accept"})

    def spread(self, part: str, subject: str, value: Callable[[Row], float], **where: Any) -> Spread:
        wanted = {"part": part, "subject": subject, **where}
        chosen = [row for row in self.rows if wanted.items() <= row.items()]
        return Spread.of(map(value, chosen))


@dataclass(frozen=True)
class Goal:
    """What was promised, and what came of it. Met if `found` is at most `limit`."""

    promise: str
    found: float
    limit: float
    unit: str = "×"
    #: Whether the limit itself is too much.
    strict: bool = False

    @property
    def met(self) -> bool:
        return self.found < self.limit if self.strict else self.found <= self.limit


def goals(figures: Figures, ours: str, express: str, bare: str) -> list[Goal]:
    """The goals, by medians."""

    def cpu(part: str, subject: str) -> float:
        return figures.spread(part, subject, cpu_microseconds).median

    found = [
        Goal(
            "CPU per delivery, verification only, of Express's",
            cpu("verification", ours) / cpu("verification", express),
            1 / 10,
        ),
        Goal("CPU per delivery with a start, of Express's", cpu("stub", ours) / cpu("stub", express), 1 / 4),
    ]
    for rate in figures.rates():
        p50 = {
            subject: figures.spread("accept", subject, milliseconds("p50"), rate=rate).median
            for subject in (ours, bare)
        }
        found.append(Goal(f"accept p50 at {rate} events/s, of the bare client's", p50[ours] / p50[bare], 1.2))
    for name, after in (
        ("after_deliveries", "the deliveries"),
        ("unsigned_after", "the unsigned body"),
        ("forged_after", "the forged body"),
    ):
        median = figures.spread("memory", ours, field(name)).median
        found.append(Goal(f"resident memory after {after}", median / MIB, MEMORY_GOAL / MIB, "MiB", strict=True))
    return found
