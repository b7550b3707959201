#!/usr/bin/env bash
# wasm-bindgen-futures: a JsFuture that is dropped before its promise settles stays in memory, for ever if the promise never does.
#
# Expected: dropping a future gives back what it holds. Whoever races a call against a timer, in a Worker or a page, drops the timer's
#   future when the call has answered, clears the timer, and thinks that nothing is left.
# Seen: 200,000 futures that were dropped with their promise never settled leave some 90 bytes each behind in the module's memory.
#   Of as many whose promise was settled after the drop nothing is left.
# Why it matters: a dispatcher of callbacks that waits "for the next answer, or 500 ms" does this with each answer. An isolate that lives
#   for days grows with every callback. A timer that is cleared must settle its promise, too.
#
# Needs cargo with the target wasm32-unknown-unknown, and a Node. Compiles wasm-bindgen, unless PATH has the version.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "timers"
edition = "2021"

[lib]
crate-type = ["cdylib"]

[dependencies]
js-sys = "=0.3.106"
wasm-bindgen = "=0.2.129"
wasm-bindgen-futures = "=0.4.79"
TOML
cat >src/lib.rs <<'RUST'
use js_sys::{Function, Promise};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

/// Makes futures of promises that are pending, and drops them. `settles`: their promises are settled after that.
#[wasm_bindgen]
pub fn drop_futures(count: u32, settles: bool) {
    for _ in 0..count {
        let mut settle = None;
        let promise = Promise::new(&mut |resolve: Function, _reject| settle = Some(resolve));
        drop(JsFuture::from(promise));
        if let Some(settle) = settle.filter(|_| settles) {
            let _ = settle.call0(&JsValue::UNDEFINED);
        }
    }
}

/// Bytes of the module's memory.
#[wasm_bindgen]
pub fn memory_bytes() -> u32 {
    core::arch::wasm32::memory_size(0) as u32 * 65_536
}
RUST
cat >run.cjs <<'JS'
const { drop_futures, memory_bytes } = require("./out/timers.js");
const ROUNDS = 200, EACH = 1000;
const tick = () => new Promise((resolve) => setImmediate(resolve));
(async () => {
  const left = [];
  for (const settles of [true, false]) {
    for (let round = 0; round < 20; round += 1) { drop_futures(EACH, settles); await tick(); }
    const before = memory_bytes();
    for (let round = 0; round < ROUNDS; round += 1) { drop_futures(EACH, settles); await tick(); }
    left.push((memory_bytes() - before) / (ROUNDS * EACH));
    console.log(`promises ${settles ? "settled after the drop" : "never settled"}: ${left.at(-1).toFixed(1)} bytes of memory left by each of ${ROUNDS * EACH} dropped futures`);
  }
  if (left[0] > 1 || left[1] < 40) { console.log("the behaviour has changed"); process.exit(1); }
})();
JS
version=0.2.129
bindgen=wasm-bindgen
if [ "$(wasm-bindgen --version 2>&1)" != "wasm-bindgen $version" ]; then
  cargo install --quiet --locked --root "$folder/tool" --target-dir "$folder/target" wasm-bindgen-cli@$version
  bindgen="$folder/tool/bin/wasm-bindgen"
fi
export CARGO_TARGET_DIR="$folder/target"
cargo build --quiet --release --target wasm32-unknown-unknown
"$bindgen" --target nodejs --no-typescript --out-dir out target/wasm32-unknown-unknown/release/timers.wasm
cargo tree --quiet --depth 1 --prefix none --target wasm32-unknown-unknown | tail -n +2
node --version
node run.cjs
