"""How much is measured: every count and every time is bounded here."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """Rounds, counts and seconds of each part."""

    #: Rounds of each part. In each round every server has its turn, in another order.
    rounds: int
    #: Deliveries under way at each moment in the two parts without Temporal, as `wrk -c32` has them.
    in_flight: int
    #: Seconds of load that come first: Node compiles what is hot.
    warm_up: float
    #: Seconds that are measured in the parts without Temporal.
    seconds: float
    #: The same for the real Temporal, which is slower than all of the servers.
    temporal_in_flight: int
    temporal_warm_up: float
    temporal_starts: int
    #: Events a second of the open loop, and for how long each.
    rates: tuple[int, ...]
    rate_seconds: float
    #: Bytes of the one large file that goes to Fast.io and comes back.
    large_file: int
    #: Deliveries after which memory is looked at, of ours and of the peers, and bytes of the unsigned body.
    deliveries: int
    peer_deliveries: int
    body_bytes: int


FULL = Plan(
    rounds=5,
    in_flight=32,
    warm_up=1.5,
    seconds=3.0,
    temporal_in_flight=16,
    temporal_warm_up=1.0,
    temporal_starts=800,
    rates=(25, 50, 100),
    rate_seconds=8.0,
    large_file=2 << 30,
    deliveries=100_000,
    peer_deliveries=20_000,
    body_bytes=300_000_000,
)

#: Shows that everything works. Its figures mean nothing.
QUICK = Plan(
    rounds=1,
    in_flight=8,
    warm_up=0.3,
    seconds=0.5,
    temporal_in_flight=4,
    temporal_warm_up=0.2,
    temporal_starts=30,
    rates=(20, 40),
    rate_seconds=1.0,
    large_file=64 << 20,
    deliveries=1_000,
    peer_deliveries=300,
    body_bytes=20_000_000,
)
