"""Verifies recorded callbacks with the official Python package: what a receiver in Python would run.

Reads a JSON list of {"secret", "headers", "body_base64"} from the file named by the first argument and prints, as JSON,
how many verified and how many forgeries (one byte, the id, the time, the secret) were refused.
"""

import base64
import json
import sys

from standardwebhooks import Webhook, WebhookVerificationError


def refuses(secret, body, headers):
    try:
        Webhook(secret).verify(body, headers)
    except WebhookVerificationError:
        return True
    return False


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        calls = json.load(file)
    verified = refused = 0
    for call in calls:
        body = base64.b64decode(call["body_base64"])
        headers = call["headers"]
        assert Webhook(call["secret"]).verify(body, headers) == json.loads(body)
        verified += 1
        timestamp = str(int(headers["webhook-timestamp"]) + 1)
        forgeries = [
            (call["secret"], body + b" ", headers),
            (call["secret"], body, {**headers, "webhook-id": headers["webhook-id"] + "0"}),
            (call["secret"], body, {**headers, "webhook-timestamp": timestamp}),
            ("whsec_" + base64.b64encode(b"x" * 32).decode(), body, headers),
        ]
        for forgery in forgeries:
            assert refuses(*forgery), forgery
            refused += 1
    print(json.dumps({"verified": verified, "refused": refused}))


if __name__ == "__main__":
    main()
