#!/usr/bin/env bash
# standardwebhooks for JavaScript and Python: a rightly signed body that is not JSON is refused, and not as a failed verification.
#
# Expected: the specification signs bytes and leaves the format open, so verify() of a rightly signed text body succeeds, or says
#   with its own error class what it wants.
# Seen: after the signature has matched, both parse the body as JSON by default. A signed text ends in SyntaxError and
#   JSONDecodeError, which are not a WebhookVerificationError, so the usual handler answers 500 where it meant to answer 400. An
#   empty signed body gives undefined in JavaScript and JSONDecodeError in Python.
# Why it matters: a sender whose payload may be empty or text sees 500 for ever and retries for days; jsonParse: false (JavaScript)
#   and json_parse=False (Python) are the way.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check standardwebhooks==1.1.0
npm init -y >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts standardwebhooks@1.1.1 >/dev/null
venv/bin/python - <<'PY'
import datetime as dt
import importlib.metadata as metadata

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

webhook = Webhook("whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz")
now = dt.datetime.now(dt.timezone.utc)
print("python standardwebhooks", metadata.version("standardwebhooks"))
for body in ["paid", ""]:
    headers = {"webhook-id": "msg_1", "webhook-timestamp": str(int(now.timestamp())), "webhook-signature": webhook.sign("msg_1", now, body)}
    assert webhook.verify(body, headers, json_parse=False) is None, "the signature is right"
    try:
        webhook.verify(body, headers)
        seen = "nothing raised"
    except Exception as error:
        seen = type(error).__name__
        assert not isinstance(error, WebhookVerificationError), "the behaviour has changed"
    print(repr(body), "->", seen)
    assert seen == "JSONDecodeError", "the behaviour has changed"
PY
node - <<'JS'
const assert = require("node:assert");
const { Webhook, WebhookVerificationError } = require("standardwebhooks");
const webhook = new Webhook("whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz");
const now = new Date();
console.log("javascript standardwebhooks", require("standardwebhooks/package.json").version);
for (const [body, expected] of [["paid", "SyntaxError"], ["", "undefined"]]) {
  const headers = { "webhook-id": "msg_1", "webhook-timestamp": String(Math.floor(now.getTime() / 1000)), "webhook-signature": webhook.sign("msg_1", now, body) };
  let seen;
  try { seen = String(webhook.verify(body, headers)); } catch (error) {
    assert(!(error instanceof WebhookVerificationError), "the behaviour has changed");
    seen = error.constructor.name;
  }
  console.log(JSON.stringify(body), "->", seen);
  assert.strictEqual(seen, expected, "the behaviour has changed");
}
JS
