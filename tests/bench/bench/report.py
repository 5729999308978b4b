"""The tables of docs/benchmarks.md. Nothing here measures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .figures import MIB, Figures, Goal, Spread, cpu_microseconds, field, milliseconds, per_second

BEGIN = "<!-- measured: `make bench` writes what is between these two lines -->"
END = "<!-- /measured -->"

_PARTS = {
    "verification": "Verification only",
    "stub": "With a start, at an engine that answers at once",
    "temporal": "With a start, at the real Temporal",
}

_STATUS_OF_NOBODY = "none, connection closed"


def insert(document: str, measured: str) -> str:
    """The document with another text between the two lines."""
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the document has no lines {BEGIN!r} and {END!r}")
    return f"{before}{BEGIN}\n\n{measured.strip()}\n\n{END}{after}"


def measured(made: dict[str, Any], figures: Figures, goals: Sequence[Goal], ours: str) -> str:
    """Everything that a run has found, as Markdown."""
    parts = [_made(made), _goals(goals)]
    plan = made["plan"]
    notes = {
        "verification": f"{plan['in_flight']} deliveries under way at each moment, {plan['seconds']:g} s after "
        f"{plan['warm_up']:g} s of warm-up.",
        "stub": f"{plan['in_flight']} deliveries under way at each moment, {plan['seconds']:g} s after "
        f"{plan['warm_up']:g} s of warm-up.",
        "temporal": f"{plan['temporal_in_flight']} deliveries under way at each moment, {plan['temporal_starts']:,} "
        "starts. Temporal's development server is the bottleneck here, whoever asks it.",
    }
    for part, title in _PARTS.items():
        parts.append(f"### {title}\n\n{notes[part]}\n\n{_throughput(figures, part, ours)}")
        if part == "stub":
            parts.append("![CPU time for each signed delivery](benchmarks/cpu.svg)")
    parts.append(
        "### From event to accepted start\n\nOpen loop: events come at a fixed rate, whatever the answers, for "
        f"{plan['rate_seconds']:g} s; each time counts from when the event was due. A start is accepted when Temporal "
        f"has stored it.\n\n{_accept(figures)}\n\n![Time from event to accepted start](benchmarks/accept.svg)"
    )
    parts.append(f"### Memory\n\n{_memory_note(plan)}\n\n{_memory(figures)}")
    parts.append(
        f"### One large file\n\n{plan['large_file'] / (1 << 30):g} GiB to the simulated Fast.io in chunks of 4 MiB and back, by "
        "the client that the workers use; what was sent and what came have the same SHA-256. Each on a core of its own.\n\n"
        f"{_transfer(figures)}"
    )
    return "\n\n".join(parts)


def _made(made: dict[str, Any]) -> str:
    machine, versions = made["machine"], made["versions"]
    listed = ", ".join(f"{name} {version}" for name, version in versions.items())
    return (
        f"Measured on {made['date']}: {machine['processor']}, {machine['cores']} cores, {machine['memory']}, Linux "
        f"{machine['kernel']}, load {machine['load_before']} before; {made['plan']['rounds']} rounds, interleaved.\n\n"
        f"{listed}."
    )


def _goals(goals: Sequence[Goal]) -> str:
    rows = [
        (
            goal.promise,
            f"{goal.found:.3g} {goal.unit}",
            f"{'<' if goal.strict else '≤'} {goal.limit:.3g} {goal.unit}",
            "met" if goal.met else "**missed**",
        )
        for goal in goals
    ]
    return "### Goals, by medians\n\n" + table(("goal", "found", "limit", ""), rows)


def _throughput(figures: Figures, part: str, ours: str) -> str:
    reference = figures.spread(part, ours, cpu_microseconds).median
    rows = []
    for subject in figures.subjects_by(part, cpu_microseconds):
        cpu = figures.spread(part, subject, cpu_microseconds)
        rows.append(
            (
                subject,
                spread(cpu),
                f"{cpu.median / reference:.1f}",
                spread(figures.spread(part, subject, per_second)),
                spread(figures.spread(part, subject, milliseconds("p50"))),
                spread(figures.spread(part, subject, milliseconds("p99"))),
            )
        )
    return table(("", "CPU µs per delivery", "× ours", "deliveries/s", "p50 ms", "p99 ms"), rows)


def _accept(figures: Figures) -> str:
    rows = []
    for rate in figures.rates():
        for subject in figures.subjects("accept"):
            spreads = [
                spread(figures.spread("accept", subject, milliseconds(percentile), rate=rate))
                for percentile in ("p50", "p99")
            ]
            late = figures.spread("accept", subject, lambda row: float(row["late"]["p99"]) * 1e3, rate=rate)
            rows.append((f"{rate}/s", subject, *spreads, f"{late.median:.2f}"))
    return table(("rate", "", "p50 ms", "p99 ms", "sent late by, p99 ms"), rows)


def _memory_note(plan: dict[str, Any]) -> str:
    return (
        f"Resident memory in MiB: idle; after {plan['deliveries']:,} deliveries with a start (the peers: "
        f"{plan['peer_deliveries']:,}); then after a body of {plan['body_bytes'] / 1e6:,.0f} MB without a signature, and after one "
        "that comes in chunks with a forged signature; and the peak of it all."
    )


def _memory(figures: Figures) -> str:
    rows = []
    for subject in figures.subjects_by("memory", field("after_deliveries")):

        def mib(name: str, subject: str = subject) -> str:
            return spread(figures.spread("memory", subject, lambda row: float(row[name]) / MIB))

        row = next(row for row in figures.rows if (row["part"], row["subject"]) == ("memory", subject))
        bodies = [
            f"{mib(f'{kind}_after')}, {row[f'{kind}_status'] or _STATUS_OF_NOBODY}" for kind in ("unsigned", "forged")
        ]
        rows.append((subject, mib("idle"), mib("after_deliveries"), *bodies, mib("forged_peak")))
    return table(("", "idle", "after deliveries", "after unsigned body, answer", "after forged body, answer", "peak"), rows)


def _transfer(figures: Figures) -> str:
    (subject,) = figures.subjects("transfer")

    def of(name: str, unit: float) -> str:
        return spread(figures.spread("transfer", subject, lambda row: float(row[name]) / unit))

    row = (of("client_peak", MIB), of("service_idle", MIB), of("service_peak", MIB), of("up", 1e6), of("down", 1e6))
    head = ("peak of the client, MiB", "service before, MiB", "peak of the service, MiB", "up, MB/s", "down, MB/s")
    return table(head, [row])


def spread(value: Spread) -> str:
    """The median, with the range in parentheses."""
    return f"{number(value.median)} ({number(value.minimum)}–{number(value.maximum)})"


def number(value: float) -> str:
    """Three digits that count, never more: the rounds differ by more than the fourth."""
    if value >= 1000:
        digits = len(str(int(value))) - 3
        return f"{round(value, -digits):,.0f}"
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
