#!/usr/bin/env bash
# standardwebhooks and svix for JavaScript: verify() finds nothing in a fetch Headers object.
#
# Expected: verify(body, request.headers) works where requests are fetch Requests (Workers, Deno, Bun, Next.js route handlers):
#   the object is called headers, and it holds the three headers.
# Seen: both libraries list the object's own keys. A Headers object has none, so a rightly signed request is refused with
#   "Missing required headers". Object.fromEntries(request.headers) works.
# Why it matters: the message sends people to look for a proxy that drops headers. It is the first thing that a receiver on such a
#   platform meets.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts standardwebhooks@1.1.1 svix@1.99.1 >/dev/null
node - <<'JS'
const assert = require("node:assert");
for (const name of ["standardwebhooks", "svix"]) {
  const { Webhook } = require(name);
  const webhook = new Webhook("whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz");
  const now = new Date();
  const headers = new Headers({
    "webhook-id": "msg_1",
    "webhook-timestamp": String(Math.floor(now.getTime() / 1000)),
    "webhook-signature": webhook.sign("msg_1", now, '{"a":1}'),
  });
  let refused = "nothing";
  try { webhook.verify('{"a":1}', headers); } catch (error) { refused = error.message; }
  const taken = webhook.verify('{"a":1}', Object.fromEntries(headers));
  console.log(name, require(`${name}/package.json`).version, "| Headers:", refused, "| plain object:", JSON.stringify(taken));
  assert.strictEqual(refused, "Missing required headers", "the behaviour has changed");
  assert.deepStrictEqual(taken, { a: 1 });
}
JS
