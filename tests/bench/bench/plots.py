"""The plots: `python -m bench.plots ROWS.json FOLDER`, run by the Python that has matplotlib."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt  # noqa: E402

from .figures import Figures, Spread, cpu_microseconds, milliseconds  # noqa: E402
from .report import number  # noqa: E402

OURS_COLOUR, PEER_COLOUR = "#1f6feb", "#9aa4b2"

#: Text stays text, and the same figures give the same file.
STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "fastio-bench",
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.facecolor": "white",
}


def _error(spread: Spread) -> list[list[float]]:
    return [[spread.median - spread.minimum], [spread.maximum - spread.median]]


def cpu(figures: Figures, ours: str, file: Path) -> None:
    """Bars of CPU time for each delivery: median, with a line from min to max."""
    figure, panels = plt.subplots(1, 2, figsize=(9, 2.6), layout="constrained")
    for panel, (part, title) in zip(
        panels, (("verification", "verification only"), ("stub", "with a workflow start")), strict=True
    ):
        for place, subject in enumerate(reversed(figures.subjects_by(part, cpu_microseconds))):
            found = figures.spread(part, subject, cpu_microseconds)
            colour = OURS_COLOUR if subject == ours else PEER_COLOUR
            panel.barh(place, found.median, color=colour, xerr=_error(found), error_kw={"elinewidth": 1, "capsize": 2})
            panel.annotate(
                f" {number(found.median)}",
                (found.maximum, place),
                va="center",
                xytext=(3, 0),
                textcoords="offset points",
            )
        panel.set_yticks(range(len(figures.subjects(part))), reversed(figures.subjects_by(part, cpu_microseconds)))
        panel.set_title(title, loc="left")
        panel.set_xlabel("CPU µs per signed delivery")
        panel.margins(x=0.15)
    _save(figure, file)


def accept(figures: Figures, ours: str, file: Path) -> None:
    """Lines over the rate: p50 and p99 of the rounds' medians, with the range of the rounds."""
    figure, panels = plt.subplots(1, 2, figsize=(9, 3), layout="constrained")
    for panel, percentile in zip(panels, ("p50", "p99"), strict=True):
        for subject in figures.subjects("accept"):
            found = [figures.spread("accept", subject, milliseconds(percentile), rate=rate) for rate in figures.rates()]
            colour, marker = (OURS_COLOUR, "o") if subject == ours else (PEER_COLOUR, "s")
            panel.plot(
                figures.rates(), [spread.median for spread in found], marker, linestyle="-", color=colour, label=subject
            )
            panel.fill_between(
                figures.rates(),
                [spread.minimum for spread in found],
                [spread.maximum for spread in found],
                color=colour,
                alpha=0.15,
            )
        panel.set_title(f"{percentile} until the start is accepted", loc="left")
        panel.set_xlabel("events per second")
        panel.set_ylabel("ms")
        panel.set_ylim(bottom=0)
        panel.set_xticks(figures.rates())
    panels[0].legend(frameon=False)
    _save(figure, file)


def _save(figure: plt.Figure, file: Path) -> None:
    figure.savefig(file, metadata={"Date": None})
    plt.close(figure)


def main() -> None:
    rows, folder = json.loads(Path(sys.argv[1]).read_text())["rows"], Path(sys.argv[2])
    with plt.rc_context(STYLE):
        cpu(Figures(rows), "fastio-receiver", folder / "cpu.svg")
        accept(Figures(rows), "fastio-receiver", folder / "accept.svg")


if __name__ == "__main__":
    main()
