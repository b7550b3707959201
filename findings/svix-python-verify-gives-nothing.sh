#!/usr/bin/env bash
# svix: the same call gives the payload in JavaScript and nothing in Python.
#
# Expected: Webhook.verify(body, headers) of one vendor's two libraries gives the same thing, and svix for Python, which is built
#   on standardwebhooks, gives what standardwebhooks gives: the parsed body.
# Seen: svix for JavaScript and standardwebhooks for Python give the parsed body; svix for Python gives None.
# Why it matters: `event = webhook.verify(body, headers)` verifies, then fails on the next line, and only with real traffic: a
#   test that expects a refusal passes.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check standardwebhooks==1.1.0 svix==2.9.1
npm init -y >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts svix@1.99.1 >/dev/null
venv/bin/python - <<'PY'
import datetime as dt
import importlib.metadata as metadata

import standardwebhooks.webhooks
import svix.webhooks

now = dt.datetime.now(dt.timezone.utc)
body = '{"a":1}'
for name, module in [("standardwebhooks", standardwebhooks.webhooks), ("svix", svix.webhooks)]:
    webhook = module.Webhook("whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz")
    headers = {"webhook-id": "msg_1", "webhook-timestamp": str(int(now.timestamp())), "webhook-signature": webhook.sign("msg_1", now, body)}
    found = webhook.verify(body, headers)
    print("python", name, metadata.version(name), "gives", found)
    assert found == (None if name == "svix" else {"a": 1}), "the behaviour has changed"
PY
node - <<'JS'
const assert = require("node:assert");
const { Webhook } = require("svix");
const webhook = new Webhook("whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz");
const now = new Date();
const headers = { "webhook-id": "msg_1", "webhook-timestamp": String(Math.floor(now.getTime() / 1000)), "webhook-signature": webhook.sign("msg_1", now, '{"a":1}') };
const found = webhook.verify('{"a":1}', headers);
console.log("javascript svix", require("svix/package.json").version, "gives", JSON.stringify(found));
assert.deepStrictEqual(found, { a: 1 }, "the behaviour has changed");
JS
