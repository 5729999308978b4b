"""What must not slip into a measurement."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from bench.generator import Engine, check_answers, order
from bench.measurements import check_starts
from bench.processes import (
    BenchError,
    Cores,
    Memory,
    bound,
    children,
    cpu_seconds,
    memory,
    parse_memory,
    running,
    wait_until,
)


def test_a_refusal_makes_a_round_worthless() -> None:
    check_answers({"requests": 3, "answers": {"200": 3}})
    for answers in ({"200": 2, "503": 1}, {"401": 3}, {}):
        with pytest.raises(BenchError):
            check_answers({"requests": 3, "answers": answers})
    with pytest.raises(BenchError):
        check_answers({"requests": 0, "answers": {"200": 0}})


def test_a_delivery_without_a_start_makes_a_round_worthless() -> None:
    check_starts(Engine("", starts=10), sent=10, attempts=0)
    check_starts(Engine("", starts=12), sent=10, attempts=2)
    for starts in (9, 13):
        with pytest.raises(BenchError):
            check_starts(Engine("", starts=starts), sent=10, attempts=2)


def test_everybody_is_first_once() -> None:
    subjects = ["a", "b", "c"]
    assert [order(subjects, turn)[0] for turn in range(4)] == ["a", "b", "c", "a"]
    assert sorted(order(subjects, 2)) == subjects


def test_what_is_measured_shares_its_core_with_nobody_but_the_load_at_temporal() -> None:
    assert Cores.of([0, 1]) == Cores(server="0", load="1", load_at_temporal="0", temporal="1")
    assert Cores.of([2, 5, 6, 7]) == Cores(server="2", load="5", load_at_temporal="5", temporal="6,7")
    with pytest.raises(BenchError):
        Cores.of([0])


def test_memory_is_read_in_bytes() -> None:
    assert parse_memory("Name:\tx\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\n") == Memory(1024 * 1024, 2048 * 1024)


def test_cpu_time_is_that_of_all_threads_and_agrees_with_proc() -> None:
    def spin() -> None:
        end = time.thread_time() + 0.05
        while time.thread_time() < end:
            pass

    before, threads = cpu_seconds(os.getpid()), [threading.Thread(target=spin) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    now = cpu_seconds(os.getpid())
    assert 0.1 <= now - before < 1
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    assert (int(fields[11]) + int(fields[12])) / 100 == pytest.approx(now, abs=0.05)


def test_a_child_counts_with_its_parent(tmp_path: Path) -> None:
    with running("0", ["sh", "-c", "(while :; do :; done) & wait"], tmp_path / "log", {}) as shell:
        try:
            wait_until("child", shell, tmp_path / "log", lambda: cpu_seconds(shell.pid) > 0.1, 10)
            own = time.clock_gettime(~shell.pid << 3 | 2)
            assert own < 0.05
        finally:
            for child in children(shell.pid):
                os.kill(child, signal.SIGKILL)


def test_a_process_is_bound_and_its_id_is_its_own(tmp_path: Path) -> None:
    with running("0", ["sleep", "60"], tmp_path / "log", {}) as process:
        wait_until(
            "sleep", process, tmp_path / "log", lambda: Path(f"/proc/{process.pid}/comm").read_text() == "sleep\n", 5
        )
        assert "Cpus_allowed_list:\t0\n" in Path(f"/proc/{process.pid}/status").read_text()
        assert memory(process.pid).now > 0
    assert not Path(f"/proc/{process.pid}").exists()


def test_a_process_ends_with_the_bench() -> None:
    """Even if the bench is killed and can clean up nothing."""
    script = f"import subprocess; print(subprocess.Popen({bound('0', 'sleep', '60')!r}).pid, flush=True); input()"
    bench = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert bench.stdout
    child = Path(f"/proc/{int(bench.stdout.readline())}")
    deadline = time.monotonic() + 5
    while (child / "comm").read_text() != "sleep\n" and time.monotonic() < deadline:
        time.sleep(0.01)
    bench.kill()
    bench.wait()
    while child.exists() and "State:\tZ" not in (child / "status").read_text() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not child.exists() or "State:\tZ" in (child / "status").read_text()


def test_a_server_that_does_not_start_shows_its_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with running("0", ["sh", "-c", "echo port is taken; exit 1"], log, {}) as process:
        with pytest.raises(BenchError, match="port is taken"):
            wait_until("server", process, log, lambda: False, 5)
