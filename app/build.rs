//! Makes the linker keep the relocations, which the splitter reads (xtask/src/page.rs).
//!
//! Here and not in `.cargo/config.toml`, because the Worker is compiled for the same target and must not
//! carry them.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_FAMILY").is_ok_and(|family| family == "wasm") {
        println!("cargo::rustc-link-arg-bins=--emit-relocs");
    }
}
