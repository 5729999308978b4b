"""Temporal, by its own command line."""

from __future__ import annotations

import base64
import json
from typing import Any

from .command import CommandFailed, run_in_network

ADDRESS = "10.244.0.1:7233"
NAMESPACE = "media"


def temporal(*argv: str, timeout: float = 30) -> str:
    connection = ["--address", ADDRESS, "--namespace", NAMESPACE]
    return run_in_network("temporal", *argv, *connection, timeout=timeout)


def workflows(query: str) -> list[dict[str, Any]]:
    """Executions that a visibility query finds."""
    text = temporal("workflow", "list", "--query", query, "--output", "json", "--limit", "2000")
    found: list[dict[str, Any]] = json.loads(text or "[]")
    return found


def started(prefix: str) -> list[dict[str, Any]]:
    """Executions whose workflow id starts with `prefix`."""
    return workflows(f"WorkflowId STARTS_WITH '{prefix}'")


def describe(workflow: str) -> dict[str, Any] | None:
    """The execution, or None if there is none of this id."""
    try:
        found: dict[str, Any] = json.loads(temporal("workflow", "describe", "--workflow-id", workflow, "--output", "json"))
    except CommandFailed as failure:
        if "not found" in failure.output.lower():
            return None
        raise
    return found


def result(workflow: str) -> Any:
    """What a completed workflow returned."""
    return json.loads(temporal("workflow", "result", "--workflow-id", workflow, "--output", "json"))["result"]


def input(workflow: str) -> Any:
    """The argument that a workflow was started with."""
    (payload,) = history(workflow)[0]["workflowExecutionStartedEventAttributes"]["input"]["payloads"]
    return json.loads(base64.b64decode(payload["data"]))


def query(workflow: str, name: str) -> Any:
    """The answer of a workflow to a query."""
    text = temporal("workflow", "query", "--workflow-id", workflow, "--name", name, "--output", "json")
    return json.loads(text)["queryResult"][0]


def history(workflow: str) -> list[dict[str, Any]]:
    text = temporal("workflow", "show", "--workflow-id", workflow, "--output", "json")
    events: list[dict[str, Any]] = json.loads(text)["events"]
    return events


def highest_attempt(workflow: str, activity: str) -> int:
    """The last attempt of an activity as the history tells it: 1 if it was never tried again."""
    attempts = [0]
    scheduled = {}
    for entry in history(workflow):
        if "activityTaskScheduledEventAttributes" in entry:
            name = entry["activityTaskScheduledEventAttributes"]["activityType"]["name"]
            scheduled[entry["eventId"]] = name
        elif "activityTaskStartedEventAttributes" in entry:
            attributes = entry["activityTaskStartedEventAttributes"]
            if scheduled.get(attributes["scheduledEventId"]) == activity:
                attempts.append(int(attributes.get("attempt", 1)))
    return max(attempts)
