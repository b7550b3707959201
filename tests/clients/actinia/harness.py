"""What the actinia scenarios stand on: a receiver, the native API, and checks that are counted."""

import base64
import json
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SOON_S = 30


class Checks:
    """Assertions with a count, so that the summary shows that they ran."""

    def __init__(self):
        self.count = 0

    def equal(self, found, expected, what=""):
        self.count += 1
        assert found == expected, f"{what}: {found!r} is not {expected!r}"

    def true(self, holds, what):
        self.count += 1
        assert holds, what


def eventually(what, look):
    """The first thing that `look` gives which is not None."""
    deadline = time.monotonic() + SOON_S
    while time.monotonic() < deadline:
        found = look()
        if found is not None:
            return found
        time.sleep(0.05)
    raise AssertionError(f"not within {SOON_S} s: {what}")


class Receiver:
    """A server on loopback that records what it gets. Below /missing it answers 404, below /locked it wants u:p:1."""

    def __init__(self):
        self.requests = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self):
                length = int(self.headers.get("content-length") or 0)
                body = self.rfile.read(length)
                receiver.requests.append((self.command, self.path, dict(self.headers.items()), body))
                login = "Basic " + base64.b64encode(b"u:p:1").decode()
                is_locked = self.path.startswith("/locked") and self.headers.get("authorization") != login
                self.send_response(404 if self.path.startswith("/missing") else 401 if is_locked else 200)
                self.send_header("content-length", "0")
                self.end_headers()

            do_GET = do_POST = do_HEAD = answer

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def url(self, path):
        return f"http://127.0.0.1:{self.server.server_port}{path}"

    def of(self, path, method):
        return [body for (found, at, _, body) in list(self.requests) if (found, at) == (method, path)]

    def told(self, path):
        """The first status that was posted to a path, decoded twice."""
        body = eventually(f"a POST to {path}", lambda: next(iter(self.of(path, "POST")), None))
        text = json.loads(body)
        assert isinstance(text, str), f"not a JSON string: {body!r}"
        return json.loads(text)


class Native:
    """The native API: what an actinia client can't say."""

    def __init__(self, base, project, token):
        self.base, self.token = f"{base}/v1/projects/{project}", token

    def send(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        headers = {"authorization": f"Bearer {self.token}", "content-type": "application/json"}
        request = urllib.request.Request(f"{self.base}/{path}", data=data, method=method, headers=headers)
        with urllib.request.urlopen(request, timeout=SOON_S) as answer:
            text = answer.read()
            return json.loads(text) if text else None

    def sleeping(self, seconds):
        """A run that the executor sleeps for; gives its id in actinia's words."""
        step = {"id": "1", "exe": "/bin/sleep", "params": [str(seconds)]}
        made = self.send("POST", "runs", {"chain": {"version": "1", "list": [step]}})
        return "resource_id-" + made["id"].removeprefix("run_")
