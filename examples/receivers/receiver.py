# A receiver for Python 3.9 and later: PORT=3000 POSTERN_SECRET=whsec_… python3 receiver.py
import base64
import hashlib
import hmac
import json
import os
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KEY = base64.b64decode(os.environ["POSTERN_SECRET"].removeprefix("whsec_"))


def is_genuine(headers, body: bytes) -> bool:
    message_id, sent_at = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not message_id or not sent_at.isdecimal() or abs(time.time() - int(sent_at)) > 300:
        return False
    digest = hmac.new(KEY, f"{message_id}.{sent_at}.".encode() + body, hashlib.sha256).digest()
    expected = b"v1," + base64.b64encode(digest)
    # While a secret is replaced there are several signatures: one that fits is enough.
    parts = headers.get("webhook-signature", "").encode("latin-1").split(b" ")
    return any(hmac.compare_digest(part, expected) for part in parts)


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        # Verify the bytes as they came, before anything parses them.
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if is_genuine(self.headers, body):
            # The same webhook-id again is the same delivery: remember it and skip the second one.
            print(self.headers["webhook-id"], json.loads(body)["type"])
            self.send_response(204)
        else:
            self.send_response(401)
        self.end_headers()


ThreadingHTTPServer(("", int(os.environ.get("PORT", 3000))), Receiver).serve_forever()
