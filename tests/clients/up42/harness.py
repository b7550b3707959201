"""What the UP42 scenarios stand on besides the rig: the way to a local server, checks of refusals, a receiver's verification."""

import base64
import hashlib
import hmac
import re
import time
from urllib.parse import urlsplit

import requests
import rig

HOSTS = ("api.up42.com", "auth.up42.com")


class Wire:
    """Leads UP42's two hosts to a local server, and keeps what went over the wire.

    The SDK has no setting for its hosts (docs/wire.md B.1), so the one function of `requests` that everything goes through is replaced;
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


class Checks(rig.Checks):
    def __init__(self, wire, shows_errors):
        super().__init__()
        self.wire = wire
        self.shows_errors = shows_errors

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
    """Verifies a callback as UP42's own receivers do (docs/wire.md B.5), and that its body is covered."""
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
