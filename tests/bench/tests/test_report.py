"""The text between a figure and its reader."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from bench.figures import MIB, Figures, Spread, goals
from bench.plan import QUICK
from bench.report import BEGIN, END, insert, measured, number, spread, table

KINDS = ("unsigned", "forged")


def test_numbers_have_three_digits_that_count() -> None:
    shown = {
        7.8: "7.80",
        10.04: "10.0",
        99.96: "100.0",
        102.4: "102",
        999.6: "1000",
        1234: "1,230",
        144_600: "145,000",
        0.004: "0.00",
    }
    assert {value: number(value) for value in shown} == shown


def test_a_spread_shows_median_and_range() -> None:
    assert spread(Spread(1, 2.5, 30)) == "2.50 (1.00–30.0)"


def test_only_what_is_measured_is_replaced() -> None:
    document = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    once = insert(document, "new | table")
    assert once == f"before\n{BEGIN}\n\nnew | table\n\n{END}\nafter\n"
    assert insert(once, "newer") == f"before\n{BEGIN}\n\nnewer\n\n{END}\nafter\n"
    with pytest.raises(ValueError, match="no lines"):
        insert("nothing to replace", "new")


def test_a_table_is_markdown() -> None:
    assert table(("a", "b"), [("1", "2")]) == "| a | b |\n| --- | --- |\n| 1 | 2 |"


def test_every_part_has_its_table() -> None:
    load = {"requests": 100, "seconds": 1.0, "cpu_seconds": 0.01, "latency": {"p50": 0.001, "p99": 0.002}}
    names = ("idle", "after_deliveries", "peak_deliveries", *(f"{k}_{w}" for k in KINDS for w in ("after", "peak")))
    memory = {name: 10 * MIB for name in names} | {"unsigned_status": 401, "forged_status": None}
    rows = [
        {"part": part, "subject": subject, "round": turn, "rate": 50, "late": {"p99": 0.0001}, **load, **memory}
        for turn in range(2)
        for part in ("verification", "stub", "temporal", "accept", "memory")
        for subject in (("ours", "bare") if part == "accept" else ("ours", "Express"))
    ]
    made = {
        "date": "2026-01-02",
        "machine": {"processor": "P", "cores": "2", "memory": "8 GiB", "kernel": "6.1", "load_before": "0.1"},
        "versions": {"Node": "20"},
        "plan": asdict(QUICK),
    }
    transfer = {"client_peak": 20 * MIB, "service_idle": 10 * MIB, "service_peak": 30 * MIB, "up": 4e8, "down": 8e8}
    rows += [{"part": "transfer", "subject": "file", "round": turn, **transfer} for turn in range(2)]
    figures = Figures(rows)
    text = measured(made, figures, goals(figures, "ours", "Express", "bare"), "ours")
    assert "| ours | 100 (100–100) | 1.0 | 100 (100–100) | 1.00 (1.00–1.00) | 2.00 (2.00–2.00) |" in text
    assert "| 50/s | bare | 1.00 (1.00–1.00) | 2.00 (2.00–2.00) | 0.10 |" in text
    ten = "10.0 (10.0–10.0)"
    assert f"| ours | {ten} | {ten} | {ten}, 401 | {ten}, none, connection closed | {ten} |" in text
    assert f"| 20.0 (20.0–20.0) | {ten} | 30.0 (30.0–30.0) | 400 (400–400) | 800 (800–800) |" in text
    assert "| CPU per delivery, verification only, of Express's | 1 × | ≤ 0.1 × | **missed** |" in text
    assert "| accept p50 at 50 events/s, of the bare client's | 1 × | ≤ 1.2 × | met |" in text
    for line in text.splitlines():
        assert not line.startswith("|") or line.endswith("|")
