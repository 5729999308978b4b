"""The guide's handler on FastAPI, with its bugs corrected. Started as `uvicorn peer:app`."""

import hashlib
import hmac
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError

SECRET = os.environ["SECRET"].encode()


@asynccontextmanager
async def connected(app: FastAPI) -> AsyncIterator[None]:
    app.state.temporal = await Client.connect(os.environ["TEMPORAL_ADDRESS"])
    yield


app = FastAPI(lifespan=connected)


@app.post("/webhooks/fastio")
async def delivery(request: Request) -> JSONResponse:
    if request.headers.get("content-type") != "application/json":
        return JSONResponse({"error": "not JSON"}, 415)
    body = await request.body()
    expected = "sha256=" + hmac.new(SECRET, body, hashlib.sha256).hexdigest()
    given = request.headers.get("fastio-signature", "")
    if not hmac.compare_digest(given.encode(), expected.encode()):
        return JSONResponse({"error": "not signed"}, 401)
    try:
        event = json.loads(body)
    except ValueError:
        return JSONResponse({"error": "not JSON"}, 400)
    if event["eventType"] != "upload":
        return JSONResponse({"status": "filtered"})
    try:
        await app.state.temporal.start_workflow(
            "processFile",
            event,
            id=f"fastio-{event['eventId']}",
            task_queue="file-processing",
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
        )
    except WorkflowAlreadyStartedError:
        return JSONResponse({"status": "duplicate"})
    except RPCError:
        return JSONResponse({"error": "send again"}, 503, {"Retry-After": "2"})
    return JSONResponse({"status": "accepted"})
