// Generates, checks and runs the TypeScript client: `generate.mjs BASE ADMIN_TOKEN PROJECT`. The document is what the running
// Worker serves. Ends with the line of drive.ts.
//
// 1. The linter that comes with openapi-typescript (Redocly's) finds no error by its recommended rules.
// 2. openapi-typescript generates the types, without a warning.
// 3. `tsc --strict` takes drive.ts with these types.
// 4. esbuild makes one file of it, which this Node runs.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const modules = resolve(here, "../../../node_modules");
const [base, ...others] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), "postern-openapi-"));

/** Runs a script of a package; its whole output. */
function run(what, script, ...options) {
  const done = spawnSync(process.execPath, [script, ...options], { cwd: folder, encoding: "utf8" });
  assert.equal(done.status, 0, `${what} failed:\n${done.stdout}\n${done.stderr}`);
  assert.ok(!/\bwarn(ing)?\b/i.test(done.stdout + done.stderr), `${what} warns:\n${done.stdout}\n${done.stderr}`);
  return done.stdout;
}

try {
  symlinkSync(modules, join(folder, "node_modules"));
  const answer = await fetch(`${base}/openapi.json`);
  const document = join(folder, "openapi.json");
  writeFileSync(document, await answer.text());

  const { createConfig, lint } = await import("@redocly/openapi-core");
  const config = await createConfig({ extends: ["recommended"] });
  const problems = await lint({ ref: document, config });
  const errors = problems.filter((problem) => problem.severity === "error");
  assert.deepEqual(errors.map((problem) => `${problem.ruleId}: ${problem.message}`), []);

  run("openapi-typescript", join(modules, "openapi-typescript/bin/cli.js"), document, "--output", join(folder, "postern.d.ts"));
  copyFileSync(join(here, "drive.ts"), join(folder, "drive.ts"));
  const options = {
    strict: true, noEmit: true, noUncheckedIndexedAccess: true, exactOptionalPropertyTypes: true,
    target: "es2022", module: "esnext", moduleResolution: "bundler", lib: ["es2022", "dom", "dom.iterable"], types: ["node"],
  };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions: options, files: ["drive.ts"] }));
  run("tsc", join(modules, "typescript/bin/tsc"), "--project", folder);
  const { buildSync } = await import("esbuild");
  const bundle = join(folder, "drive.mjs");
  buildSync({ entryPoints: [join(folder, "drive.ts")], outfile: bundle, bundle: true, platform: "node", format: "esm", target: "node22" });
  process.stdout.write(run("drive.ts", bundle, base, ...others));
} finally {
  rmSync(folder, { recursive: true });
}
