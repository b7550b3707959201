"""What the UP42 scenarios stand on: the way to a local server, a receiver that verifies, the native API, counted checks."""

import base64
import hashlib
import hmac
import json
import re
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import requests

SOON_S = 30
HOSTS = ("api.up42.com", "auth.up42.com")


class Wire:
    """Leads UP42's two hosts to a local server, and keeps what went over the wire.

    The SDK has no setting for its hosts (WIRE B.1), so the one function of `requests` that everything goes through is replaced;
    the SDK itself stays as it was released. No other host is reached: newer releases look up their latest version.
    """

    def __init__(self, base):
        self.base = f"{base}/up42"
        self.exchanges = []
        send = requests.Session.request
        wire = self

        def request(session, method, url, *args, **kwargs):
            parts = urlsplit(url)
            if parts.hostname not in HOSTS:
                raise requests.HTTPError(f"{parts.hostname} is not reached from a test")
            session.trust_env = False
            path = parts.path + (f"?{parts.query}" if parts.query else "")
            answer = send(session, method, wire.base + path, *args, **kwargs)
            wire.exchanges.append((method.upper(), parts.path, answer))
            return answer

        requests.Session.request = request

    @property
    def last(self):
        return self.exchanges[-1][2]

    def bodies(self, method):
        """The bodies that were sent with `method`, each once."""
        return {answer.request.body for sent, path, answer in self.exchanges if sent == method and "/token" not in path}


class Checks:
    """Assertions with a count, so that the summary shows that they ran."""

    def __init__(self, wire, shows_errors):
        self.wire = wire
        self.shows_errors = shows_errors
        self.count = 0

    def equal(self, found, expected, what=""):
        self.count += 1
        assert found == expected, f"{what}: {found!r} is not {expected!r}"

    def true(self, holds, what):
        self.count += 1
        assert holds, what

    def refused(self, status, call, *words):
        """The call fails, and the server said so in UP42's shape with this status and all of these words."""
        self.count += 1
        try:
            answer = call()
        except (requests.RequestException, ValueError) as refusal:
            last = self.wire.last
            assert last.status_code == status, f"{last.status_code} {last.text}"
            body = last.json()
            assert body["data"] is None and body["error"]["code"] == status, last.text
            for word in words:
                assert word in body["error"]["message"], f"{body!r} does not mention {word!r}"
                assert not self.shows_errors or word in str(refusal), f"the SDK shows {refusal!r}"
            return
        raise AssertionError(f"expected {status}, got {answer!r}")

    def login_refused(self, call):
        """The login fails, and the server said so in OAuth's shape."""
        self.count += 1
        try:
            call()
        except Exception as refusal:
            last = self.wire.last
            assert (last.status_code, last.json()["error"]) == (401, "invalid_grant"), f"{last.status_code} {last.text} {refusal!r}"
            return
        raise AssertionError("the login was let through")


def verify(headers, body, secret):
    """Verifies a callback as UP42's own receivers do (WIRE B.5), and that its body is covered."""
    headers = {key.lower(): value for key, value in headers.items()}
    found = re.fullmatch(r'up42-sig=\(("[a-z-]+"(?: "[a-z-]+")*)\);created=(\d{10,20})', headers["signature-input"])
    assert found, headers["signature-input"]
    names = [name.strip('"') for name in found.group(1).split(" ")]
    age = time.time() - int(found.group(2))
    assert 0 <= age < 300, f"signed {age} s ago"
    message = "".join(headers[name] for name in names)
    expected = base64.b64encode(hmac.new(secret.encode(), message.encode(), hashlib.sha256).digest()).decode()
    signature = headers["signature"].split("=", 1)
    assert signature[0] == "up42-sig" and hmac.compare_digest(signature[1], expected), "the signature is another"
    assert "digest" in names, "the body is not covered"
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    assert headers["digest"] == f"SHA-256={digest}", "the digest is that of another body"


class Receiver:
    """Answers 200 unless a path was told otherwise, and keeps what came."""

    def __init__(self):
        self.calls = {}
        self.answers = {}
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                receiver.calls.setdefault(self.path, []).append((dict(self.headers.items()), body))
                answers = receiver.answers.get(self.path, [200])
                self.send_response(answers.pop(0) if len(answers) > 1 else answers[0])
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
        self.server.shutdown()


class Native:
    """Postern's own API: the way in for events, and tokens of other roles."""

    def __init__(self, base, project, token):
        self.prefix = f"{base}/v1/projects/{project}"
        self.token = token
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def call(self, path, body=None, method=None):
        headers = {"authorization": f"Bearer {self.token}", "content-type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.prefix}/{path}", data=data, headers=headers, method=method)
        with self.opener.open(request, timeout=SOON_S) as answer:
            text = answer.read()
            return json.loads(text) if text else None

    def post(self, kind, data):
        return self.call("events", {"type": kind, "data": data})

    def new_token(self, role):
        return self.call("tokens", {"name": f"for {role}", "role": role})


def eventually(what, look):
    """Looks until there is something, with a deadline."""
    deadline = time.monotonic() + SOON_S
    while time.monotonic() < deadline:
        found = look()
        if found is not None:
            return found
        time.sleep(0.05)
    raise AssertionError(f"not within {SOON_S} s: {what}")
