"""What the UbiOps scenarios stand on: a receiver, the native API for posting events, and checks that are counted."""

import json
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import ubiops

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

    def refused(self, status, call, *words):
        """The call fails with an ApiException of this status whose JSON `error` mentions every word."""
        self.count += 1
        statuses = status if isinstance(status, tuple) else (status,)
        try:
            answer = call()
        except ubiops.ApiException as refusal:
            assert refusal.status in statuses, f"{refusal.status} {refusal.body}"
            error = json.loads(refusal.body)["error"]
            for word in words:
                assert word in error, f"{error!r} does not mention {word!r}"
            assert error in str(refusal), f"the client shows {str(refusal)!r}"
            return
        raise AssertionError(f"expected {statuses}, got {answer!r}")

    def refused_or_caught(self, status, call, *words):
        """Refused by the server, or by the client before anything is sent."""
        try:
            self.refused(status, call, *words)
        except (ValueError, TypeError):
            return

    def caught_by_client(self, call):
        """The client itself refuses, before anything is sent."""
        self.count += 1
        try:
            call()
        except (ValueError, TypeError):
            return
        raise AssertionError("the client let it pass")


class Receiver:
    """Answers 200 unless a path was told otherwise, and keeps what came."""

    def __init__(self):
        self.calls = {}
        self.answers = {}
        self.released = threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                receiver.calls.setdefault(self.path, []).append((dict(self.headers.items()), json.loads(body)))
                answers = receiver.answers.get(self.path, [200])
                status = answers.pop(0) if len(answers) > 1 else answers[0]
                if status == "hang":
                    receiver.released.wait(SOON_S)
                    self.close_connection = True
                    return
                self.send_response(status)
                if 300 <= status < 400:
                    self.send_header("location", "/elsewhere")
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def url(self, path):
        return f"http://127.0.0.1:{self.server.server_address[1]}{path}"

    def received(self, path, count):
        """The calls to `path` once there are `count`."""
        return eventually(f"{count} calls reach {path}", lambda: self.calls.get(path, []) if len(self.calls.get(path, [])) >= count else None)

    def close(self):
        self.released.set()
        self.server.shutdown()


class Native:
    """Postern's own API: the way in for events, and the ledger's view."""

    def __init__(self, base, project, token):
        self.prefix = f"{base}/v1/projects/{project}"
        self.token = token
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def call(self, path, body=None):
        headers = {"authorization": f"Bearer {self.token}", "content-type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.prefix}/{path}", data=data, headers=headers)
        with self.opener.open(request, timeout=SOON_S) as answer:
            return json.load(answer)

    def post(self, kind, data, object_type="deployment", name="d1", version="v1"):
        body = {"type": kind, "data": data, "object": {"type": object_type, "name": name, "version": version}}
        return self.call("events", body)

    def delivery(self, event_id, webhook):
        """The delivery of the event to the webhook, once its first attempt has ended."""

        def look():
            for item in self.call(f"deliveries?webhook={webhook}&limit=200")["items"]:
                if item["event_id"] == event_id and item["attempts"] > 0:
                    return item
            return None

        return eventually(f"the delivery to {webhook} has an attempt", look)


def eventually(what, look):
    """Looks until there is something, with a deadline."""
    deadline = time.monotonic() + SOON_S
    while time.monotonic() < deadline:
        found = look()
        if found is not None:
            return found
        time.sleep(0.05)
    raise AssertionError(f"not within {SOON_S} s: {what}")
