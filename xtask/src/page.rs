//! Builds the dashboard: cargo, then wasm-split, which splits off the screens that `app/src/lazy.rs` names, then wasm-bindgen,
//! wasm-opt and esbuild. What comes out lies in a folder that is named by its contents, so that a browser may keep it for ever.
//!
//! Not trunk: it cannot split a page, and what is left to do without that is this file.

use std::fs;
use std::path::{Path, PathBuf};

use crate::builds::{Profile, files_under};
use crate::failure::{Failure, Result};
use crate::process::must_succeed;
use crate::tools::Toolbox;
use crate::workspace::{self, Fingerprint};

/// The program, and what its files are called.
const NAME: &str = "postern-app";
/// The style sheets, in the order in which they apply.
const STYLES: [&str; 5] = ["tokens", "base", "layout", "controls", "content"];
/// What wasm-opt may assume of browsers: what the compiler already uses.
const WASM_FEATURES: [&str; 6] = [
    "--enable-bulk-memory",
    "--enable-nontrapping-float-to-int",
    "--enable-sign-ext",
    "--enable-mutable-globals",
    "--enable-reference-types",
    "--enable-multivalue",
];

/// Builds everything that is served into `stage`.
///
/// # Errors
/// What the failing step printed.
pub(crate) fn build(tools: &Toolbox, profile: Profile, stage: &Path) -> Result<()> {
    let compiled = compile(tools, profile)?;
    let scratch = stage.with_extension("split");
    drop(fs::remove_dir_all(&scratch));
    let (split, bound) = (scratch.join("split"), scratch.join("bound"));

    let mut splitting = tools.wasm_split();
    splitting.arg(&compiled).arg(&split).args(["--target", "web", "--out-name", NAME]);
    must_succeed(splitting, "wasm-split")?;
    let mut binding = tools.wasm_bindgen();
    // What was split off links to the exports that the linker made.
    binding.args(["--target", "web", "--no-typescript", "--keep-lld-exports", "--out-dir"]).arg(&bound);
    binding.arg(split.join(format!("{NAME}.wasm")));
    must_succeed(binding, "wasm-bindgen for the dashboard")?;
    fs::remove_file(split.join(format!("{NAME}.wasm"))).map_err(|cause| Failure::path("remove", &split, &cause))?;

    let files = scratch.join("files");
    make_folder(&files)?;
    for folder in [&split, &bound] {
        for name in files_under(folder)? {
            finish(tools, profile, &folder.join(&name), &files.join(&name))?;
        }
    }
    style(tools, profile, &files)?;
    assemble(&files, stage)?;
    fs::remove_dir_all(&scratch).map_err(|cause| Failure::path("remove", &scratch, &cause))
}

/// The program as the compiler leaves it, with the relocations that wasm-split reads.
fn compile(tools: &Toolbox, profile: Profile) -> Result<PathBuf> {
    let profile = match profile {
        Profile::Dev => "dev",
        Profile::Release => "spa",
    };
    let mut cargo = tools.wasm_cargo();
    cargo.current_dir(workspace::root()).args(["rustc", "--package", NAME, "--bin", NAME, "--profile", profile]);
    cargo.args(["--target", "wasm32-unknown-unknown", "--", "-Clink-arg=--emit-relocs"]);
    must_succeed(cargo, "the dashboard's build")?;
    let folder = if profile == "dev" { "debug" } else { profile };
    Ok(workspace::target().join("wasm32-unknown-unknown").join(folder).join(format!("{NAME}.wasm")))
}

/// Makes a release's files small; copies others.
fn finish(tools: &Toolbox, profile: Profile, from: &Path, to: &Path) -> Result<()> {
    let ending = from.extension().and_then(|ending| ending.to_str());
    match (profile, ending) {
        (Profile::Release, Some("wasm")) => {
            let mut opt = tools.wasm_opt();
            opt.arg("-Oz").args(WASM_FEATURES).arg(from).arg("-o").arg(to);
            must_succeed(opt, "wasm-opt").map(drop)
        }
        (Profile::Release, Some("js")) => {
            let mut minify = tools.esbuild();
            minify.arg(from).args(["--minify", "--format=esm", "--log-level=warning"]).arg(format!("--outfile={}", to.display()));
            must_succeed(minify, "esbuild").map(drop)
        }
        _ => fs::copy(from, to).map(drop).map_err(|cause| Failure::path("copy", from, &cause)),
    }
}

/// The style sheets as one.
fn style(tools: &Toolbox, profile: Profile, files: &Path) -> Result<()> {
    let mut all = String::new();
    for name in STYLES {
        let file = workspace::root().join(format!("app/style/{name}.css"));
        all.push_str(&fs::read_to_string(&file).map_err(|cause| Failure::path("read", &file, &cause))?);
    }
    let (plain, served) = (files.with_file_name("style.css"), files.join("style.css"));
    fs::write(&plain, all).map_err(|cause| Failure::path("write", &plain, &cause))?;
    if profile == Profile::Dev {
        return fs::rename(&plain, &served).map_err(|cause| Failure::path("write", &served, &cause));
    }
    let mut minify = tools.esbuild();
    minify.arg(&plain).args(["--minify", "--log-level=warning"]).arg(format!("--outfile={}", served.display()));
    must_succeed(minify, "esbuild").map(drop)
}

/// Puts the page together: `files` under their name, what is served as it is, and the document that names both.
fn assemble(files: &Path, stage: &Path) -> Result<()> {
    drop(fs::remove_dir_all(stage));
    let names = files_under(files)?;
    let mut print = Fingerprint::new();
    for name in &names {
        print.add(name.as_os_str().as_encoded_bytes());
        print.add(&fs::read(files.join(name)).map_err(|cause| Failure::path("read", name, &cause))?);
    }
    let base = format!("app/{}", print.hex());
    make_folder(&stage.join(&base))?;
    for name in &names {
        copy(&files.join(name), &stage.join(&base).join(name))?;
    }
    let public = workspace::root().join("public");
    for name in files_under(&public)? {
        copy(&public.join(&name), &stage.join(&name))?;
    }
    let template = workspace::root().join("app/index.html");
    let document = fs::read_to_string(&template).map_err(|cause| Failure::path("read", &template, &cause))?;
    let place = stage.join("index.html");
    fs::write(&place, document.replace("{app}", &format!("/{base}"))).map_err(|cause| Failure::path("write", &place, &cause))
}

fn make_folder(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).map_err(|cause| Failure::path("make", folder, &cause))
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::copy(from, to).map(drop).map_err(|cause| Failure::path("copy", from, &cause))
}
