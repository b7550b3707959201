#!/usr/bin/env bash
# leptos: <For> takes every row out of the document and puts it back when two or more rows come at the top.
#
# Expected: keyed rows that stay are not touched. New rows are inserted above them, as one new row is, and as two new rows at the
#   end are.
# Seen: with one new row at the top, no other row is touched. With two, all that were there are removed and inserted again, one by
#   one, though their order is the same, and the row that had the focus has lost it. It is the same when as many go at the end.
# Why it matters: a list of events or deliveries has the newest at the top, and what a busy feed brings is best put in several rows at
#   a time. Then a browser works out the styles and the layout of the whole list for each change, and whoever walks along the rows by
#   keyboard is thrown out. It helps to give <For> the new rows one by one: as several changes, each rendered before the next.
#
# Needs cargo with the target wasm32-unknown-unknown, and a Chromium on PATH. Compiles wasm-bindgen, unless PATH has the version.
set -euo pipefail
chromium=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || { echo "there is no Chromium on PATH"; exit 1; }
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir src page
cat >Cargo.toml <<'TOML'
[package]
name = "list"
edition = "2021"

[lib]
crate-type = ["cdylib"]

[dependencies]
leptos = { version = "=0.8.23", features = ["csr"] }
tachys = "=0.2.19"
wasm-bindgen = "=0.2.129"

[profile.dev]
debug = false
TOML
cat >src/lib.rs <<'RUST'
use leptos::prelude::*;
use std::cell::OnceCell;
use wasm_bindgen::prelude::wasm_bindgen;

thread_local! {
    static SHOWN: OnceCell<RwSignal<Vec<u32>>> = const { OnceCell::new() };
}

#[wasm_bindgen]
pub fn show(numbers: Vec<u32>) {
    SHOWN.with(|shown| shown.get().unwrap().set(numbers));
}

#[wasm_bindgen(start)]
fn start() {
    let shown = RwSignal::new(Vec::new());
    SHOWN.with(|kept| kept.set(shown).unwrap());
    mount_to_body(move || {
        view! {
            <ul>
                <For each=move || shown.get() key=|number| *number let(number)>
                    <li tabindex="0">{number}</li>
                </For>
            </ul>
        }
    });
}
RUST
cat >page/index.html <<'HTML'
<!doctype html>
<meta charset="utf-8">
<script type="module">
import start, { show } from "/list.js";

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const rows = (first, last) => Uint32Array.from({ length: last - first + 1 }, (_, at) => first + at);

await start();
const list = document.querySelector("ul");
let moved = 0;
new MutationObserver((changes) => {
  for (const { removedNodes } of changes) moved += [...removedNodes].filter((row) => row.isConnected).length;
}).observe(list, { childList: true });

const cases = [
  ["one row more at the top", rows(9, 30)],
  ["two rows more at the top", rows(8, 30)],
  ["one more at the top, one less at the end", rows(9, 29)],
  ["two more at the top, two less at the end", rows(8, 28)],
  ["two rows more at the end", rows(10, 32)],
];
const seen = [];
for (const [name, after] of cases) {
  show(rows(10, 30));
  await pause(100);
  moved = 0;
  list.querySelectorAll("li")[5].focus();
  show(after);
  await pause(100);
  const texts = [...list.querySelectorAll("li")].map((row) => Number(row.textContent));
  seen.push([name, String(texts) === String([...after]), moved, document.activeElement !== document.body]);
}
await fetch("/seen", { method: "POST", body: JSON.stringify(seen) });
</script>
HTML
cat >run.py <<'PY'
import http.server
import json
import pathlib
import subprocess
import sys
import threading

files = {"/list.js": "text/javascript", "/list_bg.wasm": "application/wasm"}
found = []
done = threading.Event()


class Server(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        kind = files.get(self.path)
        self.answer(pathlib.Path("page" + self.path if kind else "page/index.html").read_bytes(), kind or "text/html")

    def do_POST(self):
        found.extend(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        self.answer(b"", "text/plain")
        done.set()

    def answer(self, body, kind):
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
options = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--user-data-dir=" + str(pathlib.Path("browser").resolve())]
start = f"http://127.0.0.1:{server.server_port}/"
browser = subprocess.Popen([sys.argv[1], *options, "--remote-debugging-port=0", start], stderr=subprocess.DEVNULL)
try:
    assert done.wait(60), "the page told nothing"
finally:
    browser.terminate()
    browser.wait()
print(f"\n{'of 21 rows':<42}{'right in the end':<18}{'taken out and put back':<24}the focus is kept")
for name, right, moved, focus in found:
    print(f"{name:<42}{right!s:<18}{moved:<24}{focus}")
assert all(right for _, right, _, _ in found), "the list is wrong"
assert [(moved, focus) for _, _, moved, focus in found] == [(0, True), (21, False), (0, True), (19, False), (0, True)], "the behaviour has changed"
PY
version=0.2.129
bindgen=wasm-bindgen
if [ "$(wasm-bindgen --version 2>&1)" != "wasm-bindgen $version" ]; then
  cargo install --quiet --locked --root "$folder/tool" --target-dir "$folder/target" wasm-bindgen-cli@$version
  bindgen="$folder/tool/bin/wasm-bindgen"
fi
export CARGO_TARGET_DIR="$folder/target"
cargo build --quiet --target wasm32-unknown-unknown
"$bindgen" --target web --no-typescript --out-dir page target/wasm32-unknown-unknown/debug/list.wasm
cargo tree --quiet --depth 1 --prefix none --target wasm32-unknown-unknown | tail -n +2
"$chromium" --version 2>/dev/null
python3 run.py "$chromium"
