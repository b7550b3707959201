// Runs the built Worker under Miniflare's own API: the same runtime and bindings as `wrangler dev`, without the proxy that
// `wrangler dev` puts in front. Only the benchmark uses it.
//
// usage: node miniflare.mjs PORT, in a folder that holds wrangler.jsonc, .dev.vars and edge/build; state goes to ./state.
import { readdirSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";
import { unstable_getMiniflareWorkerOptions as workerOptionsOf } from "wrangler";

const folder = process.cwd();
const build = path.join(folder, "edge/build");
const kinds = { ".js": "ESModule", ".mjs": "ESModule", ".wasm": "CompiledWasm" };
const isEntry = (file) => file === "index.js";
const modules = readdirSync(build, { recursive: true })
  .filter((file) => path.extname(file) in kinds)
  // The first module is the entry.
  .sort((a, b) => Number(isEntry(b)) - Number(isEntry(a)))
  .map((file) => ({ type: kinds[path.extname(file)], path: path.join(build, file) }));
// wrangler's own reading of its configuration: bindings, queues and variables are those of `wrangler dev`.
const { modulesRules: _rules, ...bindings } = workerOptionsOf(path.join(folder, "wrangler.jsonc")).workerOptions;
const miniflare = new Miniflare(
  convertV4MiniflareOptions({
    ...bindings,
    name: "postern",
    rootPath: folder,
    modulesRoot: build,
    modules,
    host: "127.0.0.1",
    port: Number(process.argv[2]),
    resourcePersistencePath: path.join(folder, "state"),
    cf: false,
    log: new Log(LogLevel.WARN),
    telemetry: { enabled: false },
  }),
);
await miniflare.ready;
console.log(`listening on ${process.argv[2]}`);
