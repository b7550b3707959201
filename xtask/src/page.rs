//! Builds the dashboard. Trunk compiles it and copies `public`; its hook calls [`finish`], which splits off
//! the parts that the page loads later, and binds and optimises what is left (`Trunk.toml`).
//!
//! Trunk takes minutes to install from source. Without one, [`build_alone`] does Trunk's part and
//! calls the same function: the files are the same, which `cargo xtask test` compares.
//!
//! What is compiled lies in a folder that is named by its contents, so that a browser may keep it for ever.

use std::cmp::Reverse;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::builds::Profile;
use crate::failure::{Failure, Result};
use crate::files;
use crate::process::must_succeed;
use crate::tools::Toolbox;
use crate::workspace::{self, Fingerprint};

/// The program, and what its files are called.
const NAME: &str = "postern-app";
/// Stands in `app/index.html` where the folder of the compiled files is named.
const FOLDER: &str = "{app}";
/// The start of an element of `app/index.html` that tells Trunk what to do.
const FOR_TRUNK: &str = "<link data-trunk";
/// What wasm-opt may assume of browsers: what the compiler already uses.
const WASM_FEATURES: [&str; 6] = [
    "--enable-bulk-memory",
    "--enable-nontrapping-float-to-int",
    "--enable-sign-ext",
    "--enable-mutable-globals",
    "--enable-reference-types",
    "--enable-multivalue",
];

/// Builds everything that is served into `stage`, with Trunk if the toolbox has one.
///
/// # Errors
/// What the failing step printed.
pub(crate) fn build(tools: &Toolbox, profile: Profile, stage: &Path) -> Result<()> {
    match &tools.trunk {
        Some(trunk) => build_with_trunk(trunk, tools, profile, stage),
        None => build_alone(tools, profile, stage),
    }
}

/// Builds everything that is served with this Trunk.
///
/// # Errors
/// What Trunk, cargo or the hook printed.
pub(crate) fn build_with_trunk(trunk: &Path, tools: &Toolbox, profile: Profile, stage: &Path) -> Result<()> {
    let mut build = tools.trunk_command(trunk);
    build.current_dir(workspace::root()).args(["build", "--dist"]).arg(stage);
    if profile == Profile::Release {
        build.arg("--release");
    }
    must_succeed(build, "trunk build")?;
    // Trunk keeps two builds apart with it, and leaves it there.
    files::remove(&stage.join(".trunk-lock"))
}

/// Builds everything that is served without Trunk.
///
/// # Errors
/// What the failing step printed.
pub(crate) fn build_alone(tools: &Toolbox, profile: Profile, stage: &Path) -> Result<()> {
    compile(tools.wasm_cargo(), profile)?;
    files::empty_folder(stage)?;
    let public = workspace::root().join("public");
    for name in files::under(&public)? {
        files::copy(&public.join(&name), &stage.join(&name))?;
    }
    finish(tools, profile, stage)
}

/// `cargo xtask trunk-hook`: what Trunk calls when it has compiled the program and written its files.
///
/// # Errors
/// It was not Trunk that called, or what the failing step printed.
pub(crate) fn run_hook() -> Result<ExitCode> {
    let told = |name: &str| {
        env::var_os(name).ok_or_else(|| {
            Failure::new("Trunk calls `trunk-hook` and says where its files are: run `trunk build`, or `cargo xtask build`.")
        })
    };
    let stage = PathBuf::from(told("TRUNK_STAGING_DIR")?);
    let profile = if told("TRUNK_PROFILE")? == "release" { Profile::Release } else { Profile::Dev };
    finish(&Toolbox::prepare()?, profile, &stage)?;
    Ok(ExitCode::SUCCESS)
}

/// Makes the page from the compiled program and a `stage` with the public files: splits the program, binds
/// and optimises its parts, puts them into the folder that is named by their contents, and names that in the
/// document. Trunk's own document, which names what it bound itself, is written over.
///
/// # Errors
/// What the failing step printed.
pub(crate) fn finish(tools: &Toolbox, profile: Profile, stage: &Path) -> Result<()> {
    let scratch = stage.join(".page");
    let (split, files) = (scratch.join("split"), scratch.join("files"));
    files::empty_folder(&scratch)?;
    files::make_folder(&files)?;

    split_and_bind(tools, profile, &split)?;
    optimise(tools, profile, &split, &files)?;
    let sheets = workspace::root().join("app/style/all.css");
    esbuild(tools, profile, &sheets, &files.join("style.css"), "--bundle")?;
    if profile == Profile::Dev {
        files::copy(&workspace::root().join("app/reload.js"), &files.join("reload.js"))?;
    }

    remove_files_of_trunk(stage)?;
    let folder = format!("app/{}", print_of(&files)?);
    files::empty_folder(&stage.join("app"))?;
    fs::rename(&files, stage.join(&folder)).map_err(|cause| Failure::path("move", &files, &cause))?;
    let template = workspace::read(&workspace::root().join("app/index.html"))?;
    files::write(&stage.join("index.html"), finished_document(&template, &folder, profile))?;
    files::remove_folder(&scratch)
}

/// Compiles the program with this cargo as Trunk does.
///
/// # Errors
/// What cargo said.
pub(crate) fn compile(mut cargo: Command, profile: Profile) -> Result<()> {
    cargo.current_dir(workspace::root()).args([
        "build",
        "--package",
        NAME,
        "--target",
        "wasm32-unknown-unknown",
    ]);
    if profile == Profile::Release {
        // As app/index.html tells Trunk.
        cargo.args(["--profile", "spa"]);
    }
    must_succeed(cargo, "the dashboard's build").map(drop)
}

/// The program as the compiler leaves it, with the relocations that the splitter reads (app/build.rs).
fn compiled(profile: Profile) -> PathBuf {
    let folder = match profile {
        Profile::Dev => "debug",
        Profile::Release => "spa",
    };
    workspace::target().join("wasm32-unknown-unknown").join(folder).join(format!("{NAME}.wasm"))
}

/// Splits the program, and makes the JavaScript that the part in the first load needs.
fn split_and_bind(tools: &Toolbox, profile: Profile, split: &Path) -> Result<()> {
    let mut splitting = tools.wasm_split();
    splitting.arg(compiled(profile)).arg(split).args(["--target", "web", "--out-name", NAME]);
    must_succeed(splitting, "wasm-split")?;
    let first = split.join(format!("{NAME}.wasm"));
    let mut binding = tools.wasm_bindgen();
    // What was split off links to the exports that the linker made.
    binding
        .args(["--target", "web", "--no-typescript", "--keep-lld-exports", "--out-dir"])
        .arg(split)
        .arg(&first);
    must_succeed(binding, "wasm-bindgen for the dashboard")?;
    files::remove(&first)
}

/// Makes a release's files small and copies others, as many at a time as there are cores: most of a release
/// is spent here.
fn optimise(tools: &Toolbox, profile: Profile, folder: &Path, into: &Path) -> Result<()> {
    let mut names = files::under(folder)?;
    // The largest first: it takes longest.
    names.sort_by_key(|name| Reverse(folder.join(name).metadata().map_or(0, |meta| meta.len())));
    let next = AtomicUsize::new(0);
    let optimise_what_is_left = || {
        while let Some(name) = names.get(next.fetch_add(1, Ordering::Relaxed)) {
            optimise_file(tools, profile, &folder.join(name), &into.join(name))?;
        }
        Ok(())
    };
    let cores = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(optimise_what_is_left)).collect();
        threads.into_iter().try_for_each(|thread| {
            thread.join().unwrap_or_else(|_| Err(Failure::new("A thread that optimises panicked.")))
        })
    })
}

fn optimise_file(tools: &Toolbox, profile: Profile, from: &Path, to: &Path) -> Result<()> {
    match (profile, from.extension().and_then(|ending| ending.to_str())) {
        (Profile::Release, Some("wasm")) => optimise_wasm(tools, from, to),
        (Profile::Release, Some("js")) => esbuild(tools, profile, from, to, "--format=esm"),
        _ => files::copy(from, to),
    }
}

/// Runs esbuild, which makes a release's files small. A style sheet and those that it imports become one.
fn esbuild(tools: &Toolbox, profile: Profile, from: &Path, to: &Path, how: &str) -> Result<()> {
    let mut esbuild = tools.esbuild();
    esbuild.arg(from).args([how, "--log-level=warning"]).arg(format!("--outfile={}", to.display()));
    if profile == Profile::Release {
        esbuild.arg("--minify");
    }
    must_succeed(esbuild, "esbuild").map(drop)
}

/// Runs wasm-opt. What it makes is kept in cargo's target folder: a part of the page that did not change is
/// not optimised again, nor is the page that is built for comparison.
fn optimise_wasm(tools: &Toolbox, from: &Path, to: &Path) -> Result<()> {
    let mut print = Fingerprint::new();
    print.add(tools.fingerprint().as_bytes());
    print.add(WASM_FEATURES.concat().as_bytes());
    print.add(&files::read(from)?);
    let kept = workspace::stage().join("optimised").join(format!("{}.wasm", print.hex()));
    if kept.exists() {
        return files::copy(&kept, to);
    }
    let mut opt = tools.wasm_opt();
    opt.arg("-Oz").args(WASM_FEATURES).arg(from).arg("-o").arg(to);
    must_succeed(opt, "wasm-opt")?;
    // A link appears whole. If it can't be made, or another build was quicker, nothing is lost.
    drop(fs::create_dir_all(workspace::stage().join("optimised")).and_then(|()| fs::hard_link(to, &kept)));
    Ok(())
}

/// Removes what Trunk made of the whole program.
fn remove_files_of_trunk(stage: &Path) -> Result<()> {
    drop(fs::remove_dir_all(stage.join("snippets")));
    files::remove(&stage.join(format!("{NAME}.js")))?;
    files::remove(&stage.join(format!("{NAME}_bg.wasm")))
}

/// The document with the name of the folder. Lines that are empty go: each element for Trunk leaves one.
fn finished_document(template: &str, folder: &str, profile: Profile) -> String {
    let named = without_elements_for_trunk(template).replace(FOLDER, &format!("/{folder}"));
    let lines: String =
        named.lines().filter(|line| !line.trim().is_empty()).flat_map(|line| [line, "\n"]).collect();
    match profile {
        Profile::Release => lines,
        Profile::Dev => lines.replace(
            "</head>",
            &format!("  <script src=\"/{folder}/reload.js\" type=\"module\"></script>\n  </head>"),
        ),
    }
}

/// The document without what tells Trunk what to do.
fn without_elements_for_trunk(document: &str) -> String {
    let mut parts = document.split(FOR_TRUNK);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.split_once("/>").map_or(part, |(_, after)| after))
}

/// The fingerprint of the names and contents of a folder's files.
fn print_of(folder: &Path) -> Result<String> {
    let mut print = Fingerprint::new();
    for name in files::under(folder)? {
        print.add(name.as_os_str().as_encoded_bytes());
        print.add(&files::read(&folder.join(&name))?);
    }
    Ok(print.hex())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_names_the_folder_and_has_nothing_for_trunk() {
        let template = fs::read_to_string(workspace::root().join("app/index.html")).expect("the document");
        let document = finished_document(&template, "app/0123", Profile::Release);
        assert!(document.contains("src=\"/boot.js\" data-js=\"/app/0123/postern-app.js\""), "{document}");
        assert!(document.starts_with("<!doctype html>\n") && document.ends_with("</html>\n"), "{document}");
        for word in ["data-trunk", FOLDER, "reload.js", "\n\n"] {
            assert!(!document.contains(word), "{word:?} is left:\n{document}");
        }
    }

    #[test]
    fn no_document_has_a_script_or_style_of_its_own() {
        let template = fs::read_to_string(workspace::root().join("app/index.html")).expect("the document");
        for profile in [Profile::Dev, Profile::Release] {
            let document = finished_document(&template, "app/0123", profile);
            let scripts: Vec<&str> = document.split("<script").skip(1).collect();
            assert!(
                !scripts.is_empty()
                    && scripts
                        .iter()
                        .all(|script| script.starts_with(" src=") && script.contains("></script>"))
            );
            assert!(
                !document.contains("<style")
                    && !document.contains(" style=")
                    && !document.contains(" onload="),
                "{document}"
            );
        }
    }

    #[test]
    fn a_development_build_reloads_itself() {
        let document = finished_document("<head>\n  </head>\n", "app/0123", Profile::Dev);
        assert_eq!(
            document.matches("<script src=\"/app/0123/reload.js\" type=\"module\"></script>").count(),
            1,
            "{document}"
        );
    }

    #[test]
    fn elements_for_trunk_are_taken_out_and_the_rest_stays() {
        let document = "<head>\n<link rel=\"icon\" />\n<link data-trunk rel=\"rust\" />\n<link data-trunk rel=\"copy-dir\"\n href=\"x\" />\n</head>";
        assert_eq!(without_elements_for_trunk(document), "<head>\n<link rel=\"icon\" />\n\n\n</head>");
    }
}
