//! libFuzzer's entry. `POSTERN_FUZZ` names the target ([`targets::ALL`]); one build serves them all, so that
//! a change of `core` is compiled once.
//!
//! Started by `cargo xtask fuzz`, which gives each target its time and its corpus.

#![no_main]

mod targets;

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    static TARGET: OnceLock<targets::Target> = OnceLock::new();
    let target = TARGET.get_or_init(|| {
        let name = std::env::var("POSTERN_FUZZ").unwrap_or_default();
        let known = targets::ALL.iter().find(|(known, _)| *known == name);
        known.unwrap_or_else(|| panic!("POSTERN_FUZZ names no target: {name:?}")).1
    });
    // Whatever is not UTF-8 is refused before any of these parsers sees it.
    if let Ok(text) = std::str::from_utf8(bytes) {
        target(text);
    }
});
