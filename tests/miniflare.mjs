// Runs the built Worker under Miniflare's own API: the same runtime and bindings as `wrangler dev`, without the proxy that
// `wrangler dev` puts in front. Only the benchmark uses it.
//
// usage: node miniflare.mjs PORT [WORKER], in a folder that holds wrangler.jsonc, .dev.vars and edge/build; state goes to ./state.
// WORKER is a single module that runs instead of the build.
import { readdirSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";
import { unstable_getMiniflareWorkerOptions as workerOptionsOf } from "wrangler";

const folder = process.cwd();
const build = path.join(folder, "edge/build");
const kinds = { ".js": "ESModule", ".mjs": "ESModule", ".wasm": "CompiledWasm" };
const isEntry = (file) => file === "index.js";
const built = () =>
  readdirSync(build, { recursive: true })
    .filter((file) => path.extname(file) in kinds)
    // The first module is the entry.
    .sort((a, b) => Number(isEntry(b)) - Number(isEntry(a)))
    .map((file) => ({ type: kinds[path.extname(file)], path: path.join(build, file) }));
const [port, worker] = process.argv.slice(2);
const modules = worker ? [{ type: "ESModule", path: worker }] : built();
// wrangler's own reading of its configuration: bindings, queues and variables are those of `wrangler dev`.
const { modulesRules: _rules, ...bindings } = workerOptionsOf(path.join(folder, "wrangler.jsonc")).workerOptions;
const miniflare = new Miniflare(
  convertV4MiniflareOptions({
    ...bindings,
    name: "postern",
    rootPath: folder,
    modulesRoot: worker ? path.dirname(worker) : build,
    modules,
    host: "127.0.0.1",
    port: Number(port),
    resourcePersistencePath: path.join(folder, "state"),
    cf: false,
    log: new Log(LogLevel.WARN),
    telemetry: { enabled: false },
  }),
);
await miniflare.ready;
console.log(`listening on ${port}`);
