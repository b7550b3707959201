//! The vector files of `core`, compiled to where they must hold besides the host: the Worker's runtime and
//! the browser.
//!
//! `cargo xtask test` builds it; `stack_vectors.rs` and `dashboard_vectors.rs` run the same build in the two
//! places. Nothing is checked or known here: that is `postern_core::vectors`.

use postern_core::vectors;
use wasm_bindgen::prelude::wasm_bindgen;

/// Checks every vector and tells what came of it as JSON: `{"cases": 507, "failures": ["…"]}`.
#[wasm_bindgen]
#[must_use]
pub fn run() -> String {
    let report = vectors::run();
    serde_json::json!({ "cases": report.cases, "failures": report.failures }).to_string()
}
