"""What the scenarios of every client stand on: checks that are counted, a receiver, the native API, and their runner."""

import json
import threading
import time
import traceback
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SOON_S = 30
SCENARIOS = []


def scenario(run):
    """Marks a function of the world as a scenario; they run in the order of the file."""
    SCENARIOS.append(run)
    return run


def run_all(world):
    """Runs every scenario; the first that fails ends it all. Gives what every summary tells."""
    for run in SCENARIOS:
        try:
            run(world)
        except Exception as fault:
            traceback.print_exc()
            raise SystemExit(f"{run.__name__}: {type(fault).__name__}: {fault}") from fault
    world.receiver.close()
    return {"scenarios": [run.__name__ for run in SCENARIOS], "checks": world.check.count}


def eventually(what, look):
    """The first thing that `look` gives which is not None, with a deadline."""
    deadline = time.monotonic() + SOON_S
    while time.monotonic() < deadline:
        found = look()
        if found is not None:
            return found
        time.sleep(0.05)
    raise AssertionError(f"not within {SOON_S} s: {what}")


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


class Receiver:
    """A server on loopback that keeps what came: (method, path, headers, body). A subclass says what it answers."""

    def __init__(self):
        self.requests = []
        self.released = threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def take(self):
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                receiver.requests.append((self.command, self.path, dict(self.headers.items()), body))
                status = receiver.status_for(self.path, self.headers)
                if status == "hang":
                    receiver.released.wait(SOON_S)
                    self.close_connection = True
                    return
                self.send_response(status)
                if 300 <= status < 400:
                    self.send_header("location", "/elsewhere")
                self.send_header("content-length", "0")
                self.end_headers()

            do_GET = do_HEAD = do_POST = take

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def status_for(self, path, headers):
        """The status of the answer, or "hang": no answer."""
        raise NotImplementedError

    def url(self, path):
        return f"http://127.0.0.1:{self.server.server_address[1]}{path}"

    def calls(self, path, method="POST"):
        """The (headers, body) of what came to `path`."""
        return [(headers, body) for found, at, headers, body in list(self.requests) if (found, at) == (method, path)]

    def received(self, path, count):
        """The calls to `path` once there are `count`."""
        return eventually(f"{count} calls reach {path}", lambda: found if len(found := self.calls(path)) >= count else None)

    def close(self):
        self.released.set()
        self.server.shutdown()


class ScriptedReceiver(Receiver):
    """Answers 200, or what `answers` says for a path: one after the other, the last of them for ever."""

    def __init__(self):
        self.answers = {}
        super().__init__()

    def status_for(self, path, headers):
        answers = self.answers.get(path, [200])
        return answers.pop(0) if len(answers) > 1 else answers[0]


class Native:
    """Postern's own API: what no client of another system can say."""

    def __init__(self, base, project, token):
        self.prefix = f"{base}/v1/projects/{project}"
        self.token = token
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def call(self, method, path, body=None):
        headers = {"authorization": f"Bearer {self.token}", "content-type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.prefix}/{path}" if path else self.prefix, data=data, headers=headers, method=method)
        with self.opener.open(request, timeout=SOON_S) as answer:
            text = answer.read()
            return json.loads(text) if text else None

    def settings(self, patch):
        """Changes the project's settings."""
        return self.call("PATCH", "", patch)

    def event(self, kind, data, **more):
        """Posts an event."""
        return self.call("POST", "events", {"type": kind, "data": data, **more})
