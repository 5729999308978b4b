"""The simulated Fast.io: its API as any client sees it, and its control API."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
import uuid
from dataclasses import dataclass
from typing import Any

from .kubectl import wait_for

HOST = "http://10.244.0.1:8080"


class Refused(Exception):
    """An answer that is not a success."""

    def __init__(self, url: str, status: int, body: str) -> None:
        super().__init__(f"{url}: HTTP {status}: {body}")
        self.status = status


def _call(method: str, url: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> bytes:
    request = urllib.request.Request(url, data=body, method=method, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            data: bytes = response.read()
            return data
    except urllib.error.HTTPError as error:
        raise Refused(url, error.code, error.read().decode(errors="replace")) from error


def control(method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    """A call of the control API, which the real service does not have."""
    data = None if body is None else json.dumps(body).encode()
    answer = _call(method, f"{HOST}/control/{path}", data, {"Content-Type": "application/json"})
    return json.loads(answer or b"null")


@dataclass(frozen=True)
class Workspace:
    """A workspace and a key that may use it."""

    id: str
    key: str
    #: The organisation that it is in, its own. Not known of the demo's, where nobody needs it.
    org: str = ""

    @classmethod
    def create(cls, name: str) -> Workspace:
        made = control("POST", "workspaces", {"name": name, "org": name})
        return cls(str(made["workspace_id"]), control("POST", "api-keys", {})["key"], str(made["org_id"]))

    def somebody_else(self) -> Workspace:
        """The same workspace with the key of another user."""
        key = control("POST", "api-keys", {"user": f"guest-{uuid.uuid4().hex[:8]}"})["key"]
        return Workspace(self.id, key, self.org)

    def api(self, method: str, path: str, form: dict[str, str] | None = None) -> Any:
        data = None if form is None else urllib.parse.urlencode(form).encode()
        return json.loads(_call(method, f"{HOST}/current{path}", data, {"Authorization": f"Bearer {self.key}"}))

    def children(self, folder: str = "root") -> list[dict[str, Any]]:
        nodes: list[dict[str, Any]] = []
        cursor = ""
        while True:
            query = "?page_size=500" + (f"&cursor={urllib.parse.quote(cursor)}" if cursor else "")
            page = self.api("GET", f"/workspace/{self.id}/storage/{folder}/list/{query}")
            nodes += page["nodes"]["items"]
            cursor = page["pagination"].get("next_cursor") or ""
            if not page["pagination"]["has_more"]:
                return nodes

    def find(self, path: str) -> dict[str, Any] | None:
        """The node at a path such as `/processed/beach`, or None."""
        folder: dict[str, Any] = {"id": "root"}
        for name in path.strip("/").split("/"):
            found = next((node for node in self.children(folder["id"]) if node["name"] == name), None)
            if found is None:
                return None
            folder = found
        return folder

    def folder(self, name: str) -> str:
        """Id of a folder of the root, made if it does not exist."""
        found = self.find(f"/{name}")
        if found is None:
            found = self.api("POST", f"/workspace/{self.id}/storage/root/createfolder/", {"name": name})["node"]
        return str(found["id"])

    def upload(self, name: str, content: bytes, folder: str = "root") -> str:
        """Uploads a file in one call and returns its node id once the service has it."""
        if len(content) > 4 * 1024 * 1024:
            return self._upload_in_chunks(name, content, folder)
        fields = {**self._upload_fields(name, len(content), folder), "action": "create"}
        body, kind = _multipart(fields, name, content)
        answer = self._post("/upload/", body, kind)
        return self._stored(answer["id"], answer.get("new_file_id"))

    def _upload_in_chunks(self, name: str, content: bytes, folder: str) -> str:
        upload = self.api("POST", "/upload/", {**self._upload_fields(name, len(content), folder), "action": "create"})["id"]
        size = 8 * 1024 * 1024
        for number, start in enumerate(range(0, len(content), size), start=1):
            chunk = content[start : start + size]
            body, kind = _multipart({}, "chunk.bin", chunk)
            self._post(f"/upload/{upload}/chunk/?order={number}&size={len(chunk)}", body, kind)
        self.api("POST", f"/upload/{upload}/complete/", {})
        return self._stored(upload, None)

    def _upload_fields(self, name: str, size: int, folder: str) -> dict[str, str]:
        return {"name": name, "size": str(size), "instance_id": self.id, "folder_id": folder, "profile_type": "workspace"}

    def _post(self, path: str, body: bytes, kind: str) -> Any:
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": kind}
        return json.loads(_call("POST", f"{HOST}/current{path}", body, headers))

    def _stored(self, upload: str, node: str | None) -> str:
        def stored() -> str | None:
            session = self.api("GET", f"/upload/{upload}/details/")["session"]
            return str(session["new_file_id"]) if session.get("new_file_id") else None

        return node or wait_for(f"upload {upload} is stored", stored, 30, 0.05)

    def details(self, node: str) -> dict[str, Any]:
        found: dict[str, Any] = self.api("GET", f"/workspace/{self.id}/storage/{node}/details/")["node"]
        return found

    def read(self, node: str) -> bytes:
        token = self.api("GET", f"/workspace/{self.id}/storage/{node}/requestread/")["token"]
        return _call("GET", f"{HOST}/current/workspace/{self.id}/storage/{node}/read/?token={urllib.parse.quote(token)}")

    def versions(self, node: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.api("GET", f"/workspace/{self.id}/storage/{node}/versions/")["versions"]
        return found

    def move(self, node: str, folder: str) -> None:
        self.api("POST", f"/workspace/{self.id}/storage/{node}/move/", {"parent": folder})

    def trash(self, node: str) -> None:
        self.api("DELETE", f"/workspace/{self.id}/storage/{node}/delete/")

    def comments(self, node: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.api("GET", f"/comments/workspace/{self.id}/{node}/?limit=200")["comments"]
        return found

    def webhooks(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.api("GET", f"/workspaces/{self.id}/webhooks/")["webhooks"]
        return found


def _multipart(fields: dict[str, str], name: str, content: bytes) -> tuple[bytes, str]:
    boundary = uuid.uuid4().hex
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{value}\r\n'.encode()
        for field, value in fields.items()
    ]
    parts.append(f'--{boundary}\r\nContent-Disposition: form-data; name="chunk"; filename="{name}"\r\n\r\n'.encode())
    parts += [content, f"\r\n--{boundary}--\r\n".encode()]
    return b"".join(parts), f"multipart/form-data; boundary={boundary}"


def wait_until_up(seconds: float = 20) -> None:
    def answers() -> bool:
        try:
            control("GET", "webhooks")
        except (OSError, Refused):
            return False
        return True

    wait_for("the simulator answers", answers, seconds, 0.05)

