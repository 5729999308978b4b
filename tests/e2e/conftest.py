"""Fixtures: each test gets a namespace and a workspace of its own in the one cluster."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from world import simulator
from world.simulator import Workspace
from world.studio import Studio


@pytest.fixture(scope="session", autouse=True)
def _simulator_answers() -> None:
    simulator.wait_until_up()


@pytest.fixture
def make_studio(request: pytest.FixtureRequest) -> Iterator[Callable[..., Studio]]:
    """Makes studios in namespaces that are named after the test, and removes them afterwards."""
    made: list[Studio] = []

    def make(**settings: Any) -> Studio:
        name = request.node.name.removeprefix("test_").replace("_", "-").replace("[", "-").replace("]", "")
        studio = Studio.create(f"t-{name[:30].strip('-')}-{uuid.uuid4().hex[:6]}", **settings)
        made.append(studio)
        return studio

    yield make
    for studio in made:
        studio.delete()


@pytest.fixture
def studio(make_studio: Callable[..., Studio]) -> Studio:
    """A namespace with an API key in it and nothing else of ours."""
    return make_studio()


@pytest.fixture
def workspace(studio: Studio) -> Workspace:
    return studio.workspace
