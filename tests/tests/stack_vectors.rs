//! The vector files of `core`, checked in the Worker's runtime: workerd as wrangler brings it, with a Worker
//! that does nothing else.

use std::fs;

use postern_tests::client::Api;
use postern_tests::stack::free_port;
use postern_tests::supervised::Supervised;
use postern_tests::wait::{SOON, eventually};
use postern_tests::{artefacts, vectors};

/// Gives what [`vectors::assert_all_hold`] takes. A Worker may not compile WebAssembly at run time: the
/// module is imported.
const WORKER: &str = r#"
import module from "./postern_vectors_bg.wasm";
import { initSync, run } from "./postern_vectors.js";

export default {
  fetch() {
    initSync({ module });
    return new Response(run());
  },
};
"#;

/// workerd's configuration of it; `{date}` is the compatibility date.
const CONFIGURATION: &str = r#"
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "vectors", worker = (
    compatibilityDate = "{date}",
    modules = [
      (name = "worker.mjs", esModule = embed "worker.mjs"),
      (name = "postern_vectors.js", esModule = embed "postern_vectors.js"),
      (name = "postern_vectors_bg.wasm", wasm = embed "postern_vectors_bg.wasm"),
    ],
  ))],
  sockets = [(name = "http", http = (), service = "vectors")],
);
"#;

#[tokio::test]
async fn every_vector_of_core_holds_in_the_workers_runtime() {
    let port = free_port();
    let folder = std::env::temp_dir().join(format!("postern-vectors-{}-{port}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder can be made");
    for name in ["postern_vectors.js", "postern_vectors_bg.wasm"] {
        fs::copy(artefacts::vectors().join(name), folder.join(name))
            .unwrap_or_else(|fault| panic!("{name} cannot be copied: {fault}"));
    }
    fs::write(folder.join("worker.mjs"), WORKER).expect("the Worker can be written");
    fs::write(folder.join("workerd.capnp"), CONFIGURATION.replace("{date}", &compatibility_date()))
        .expect("its configuration can be");

    // The package's script finds workerd's executable for this machine.
    let workerd = Supervised::start(&artefacts::node(), &folder, |command| {
        command.arg(artefacts::node_module("workerd/bin/workerd")).args(["serve", "workerd.capnp"]);
        command.arg(format!("--socket-addr=http=127.0.0.1:{port}"));
    });
    let api = Api::new(&format!("http://127.0.0.1:{port}"), None);
    let reply = eventually("workerd answers", SOON, async || {
        let log = fs::read_to_string(folder.join("output.log")).unwrap_or_default();
        assert!(!workerd.is_over(), "workerd ended at its start:\n{log}");
        api.try_get("/").await
    })
    .await;
    let log = fs::read_to_string(folder.join("output.log")).unwrap_or_default();
    assert_eq!(reply.status, 200, "{}\n{log}", reply.body);
    vectors::assert_all_hold(&reply.body);
}

/// The Worker's own, from wrangler.jsonc.
fn compatibility_date() -> String {
    let file =
        fs::read_to_string(artefacts::root().join("wrangler.jsonc")).expect("wrangler.jsonc can be read");
    let (_, rest) =
        file.split_once(r#""compatibility_date": ""#).expect("wrangler.jsonc has a compatibility date");
    rest.chars().take_while(|c| *c != '"').collect()
}
