#!/usr/bin/env bash
# standardwebhooks: a secret in the URL-safe alphabet is refused by one library and silently another key for the next.
#
# Expected: libraries of one specification read one secret alike, or refuse it alike.
# Seen: of a secret with "-" and "_" (base64url, what many secret generators print), JavaScript says that it is not right. Python
#   throws the two letters away and goes on with a shorter key, so it signs without a word, and nobody else verifies it.
# Why it matters: "signature mismatch" between two correct programs, and nothing in either log. Secrets for webhooks must be in the
#   standard alphabet.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check standardwebhooks==1.1.0
npm init -y >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts standardwebhooks@1.1.1 >/dev/null
venv/bin/python - <<'PY'
import base64
import datetime as dt
import importlib.metadata as metadata

from standardwebhooks.webhooks import Webhook

key = bytes([0xFB, 0xEF, 0xBE, 0xFF, 0xFF, 0xFF]) + b"012345678901234567"
text = base64.urlsafe_b64encode(key).decode()
at = dt.datetime(2026, 11, 30, tzinfo=dt.timezone.utc)
of_text = Webhook("whsec_" + text).sign("msg_1", at, "{}")
of_key = Webhook(key).sign("msg_1", at, "{}")
of_the_rest = Webhook(base64.b64decode(text.replace("-", "").replace("_", ""))).sign("msg_1", at, "{}")
print("python standardwebhooks", metadata.version("standardwebhooks"), "| secret:", text)
print("signs with the key:", of_text == of_key, "| with what is left without - and _:", of_text == of_the_rest)
assert of_text != of_key and of_text == of_the_rest, "the behaviour has changed"
PY
node - <<'JS'
const assert = require("node:assert");
const { Webhook } = require("standardwebhooks");
const key = Buffer.concat([Buffer.from([0xfb, 0xef, 0xbe, 0xff, 0xff, 0xff]), Buffer.from("012345678901234567")]);
let seen = "taken";
try { new Webhook("whsec_" + key.toString("base64url")); } catch (error) { seen = error.message; }
console.log("javascript standardwebhooks", require("standardwebhooks/package.json").version, "|", seen);
assert.notStrictEqual(seen, "taken", "the behaviour has changed");
JS
