"""The arithmetic between a row and a figure."""

from __future__ import annotations

from typing import Any

import pytest

from bench.figures import Figures, Goal, Spread, cpu_microseconds, goals, milliseconds, per_second

OURS, EXPRESS, BARE = "ours", "Express", "bare"
MIB = 1024 * 1024


def row(part: str, subject: str, turn: int, **more: Any) -> dict[str, Any]:
    basis = {"requests": 1000, "seconds": 2.0, "cpu_seconds": 0.01, "latency": {"p50": 0.001, "p99": 0.004}}
    return {"part": part, "subject": subject, "round": turn, **basis, **more}


def test_a_spread_is_of_the_rounds_in_any_order() -> None:
    assert Spread.of([5, 1, 4, 2, 3]) == Spread(1, 3, 5)
    assert Spread.of([4, 1]) == Spread(1, 2.5, 4)


def test_units() -> None:
    one = row("stub", OURS, 0)
    assert cpu_microseconds(one) == pytest.approx(10)
    assert per_second(one) == pytest.approx(500)
    assert milliseconds("p99")(one) == pytest.approx(4)


def test_rows_of_other_parts_subjects_and_rates_do_not_count() -> None:
    figures = Figures(
        [
            row("stub", OURS, 0, cpu_seconds=0.02),
            row("stub", OURS, 1, cpu_seconds=0.04),
            row("stub", EXPRESS, 0, cpu_seconds=9),
            row("verification", OURS, 0, cpu_seconds=9),
            row("accept", OURS, 0, rate=10),
            row("accept", OURS, 0, rate=20, cpu_seconds=7),
        ]
    )
    assert figures.spread("stub", OURS, cpu_microseconds) == Spread(
        pytest.approx(20), pytest.approx(30), pytest.approx(40)
    )
    assert figures.spread("accept", OURS, cpu_microseconds, rate=20).median == pytest.approx(7000)
    assert figures.rates() == [10, 20]
    assert figures.subjects_by("stub", cpu_microseconds) == [OURS, EXPRESS]
    with pytest.raises(ValueError):
        figures.spread("accept", OURS, cpu_microseconds, rate=30)


def found(cpu: float = 0.01, start: float = 0.05, p50: float = 0.0011, memory: float = 15) -> dict[str, bool]:
    """Whether our receiver meets its goals with these figures; Express takes 0.1 s, or 0.2 s with a start."""
    sizes = {name: memory * MIB for name in ("after_deliveries", "unsigned_after", "forged_after")}
    figures = Figures(
        [
            row("verification", OURS, 0, cpu_seconds=cpu),
            row("verification", EXPRESS, 0, cpu_seconds=0.1),
            row("stub", OURS, 0, cpu_seconds=start),
            row("stub", EXPRESS, 0, cpu_seconds=0.2),
            row("accept", OURS, 0, rate=50, latency={"p50": p50}),
            row("accept", BARE, 0, rate=50, latency={"p50": 0.001}),
            {"part": "memory", "subject": OURS, "round": 0, **sizes},
        ]
    )
    return {goal.promise: goal.met for goal in goals(figures, OURS, EXPRESS, BARE)}


def test_goals_are_met_at_their_limits_and_missed_beyond() -> None:
    assert len(found()) == 6 and all(found().values())
    for worse in ({"cpu": 0.0101}, {"start": 0.0501}, {"p50": 0.00121}):
        missed = [promise for promise, met in found(**worse).items() if not met]
        assert len(missed) == 1, (worse, missed)
    assert list(found(memory=19.99).values()) == [True] * 6
    assert list(found(memory=20).values()) == [True] * 3 + [False] * 3


def test_a_strict_goal_excludes_its_limit() -> None:
    assert Goal("x", 1.0, 1.0).met
    assert not Goal("x", 1.0, 1.0, strict=True).met
