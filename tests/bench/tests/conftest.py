"""Lets the tests import the packages from their folders, without an installation."""

import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parents[2]

sys.path[:0] = [str(TESTS / "bench"), str(TESTS / "cluster"), str(TESTS)]
