//! The configuration of `workerd serve`: `xtask/serve.capnp` with what wrangler.jsonc says (compatibility,
//! assets, queues, cron), so that the Worker has the same bindings on a machine of one's own as at the edge,
//! and with what differs from one machine to the next.

use std::env;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use crate::failure::{Failure, Result};
use crate::files;
use crate::tools::node_modules;
use crate::workspace;

const TEMPLATE: &str = include_str!("../serve.capnp");

/// The name under which the template's queues and cron know the Worker.
const WORKER: &str = "POSTERN";

/// Which addresses receivers may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Those of the internet.
    Public,
    /// Those of this machine and its network as well.
    Everywhere,
}

/// Who connects to the socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Front {
    /// Clients: what they say of their own address is taken away.
    Clients,
    /// A reverse proxy, which says for whom (`CF-Connecting-IP`) and by which protocol (`X-Forwarded-Proto`).
    Proxy,
}

/// The files of a certificate chain and of its key, both PEM.
#[derive(Debug)]
pub(crate) struct Tls {
    /// The leaf first; an absolute path, as `key`.
    pub(crate) certificate: PathBuf,
    /// Its private key.
    pub(crate) key: PathBuf,
}

/// What differs from one machine to the next.
#[derive(Debug)]
pub(crate) struct Machine<'a> {
    /// Where it listens, `127.0.0.1:8080`.
    pub(crate) address: &'a str,
    /// HTTPS where there is one, else HTTP.
    pub(crate) tls: Option<&'a Tls>,
    /// Which receivers it reaches.
    pub(crate) reach: Reach,
    /// Who connects to it.
    pub(crate) front: Front,
    /// Names of the variables in its environment that the Worker is given.
    pub(crate) variables: Vec<&'a str>,
}

/// The text of the configuration for a Worker in the folder `worker` and a page in the folder `page`, which
/// lie beside it.
///
/// # Errors
/// wrangler.jsonc or a file of the build can't be read.
pub(crate) fn configuration(machine: &Machine<'_>, worker: &Path, page: &Path) -> Result<String> {
    let wrangler = wrangler_config()?;
    let modules: Vec<String> = modules_of(&files::under(worker)?).collect();
    let headers = workspace::read(&page.join("_headers"))?;
    let allow = match machine.reach {
        Reach::Public => r#"["public"]"#,
        Reach::Everywhere => r#"["public", "private"]"#,
    };
    let words = [
        ("%PAGE%", text(&assets(&wrangler, &headers).to_string())),
        ("%ALLOW%", allow.to_owned()),
        ("%ADDRESS%", text(machine.address)),
        ("%PROTOCOL%", protocol(machine)),
        ("%MODULES%", modules.concat()),
        ("%DATE%", text(string(&wrangler, "compatibility_date"))),
        ("%FLAGS%", texts(&wrangler["compatibility_flags"])),
        ("%VARIABLES%", machine.variables.iter().map(|name| variable(name)).collect()),
        ("%CONSUMERS%", text(&consumers(&wrangler).to_string())),
        ("%CRONS%", text(&json!({ WORKER: wrangler["triggers"]["crons"] }).to_string())),
    ];
    Ok(words.into_iter().fold(TEMPLATE.to_owned(), |filled, (word, value)| filled.replace(word, &value)))
}

/// The program, from the npm package that wrangler brings.
pub(crate) fn program() -> PathBuf {
    let system = if cfg!(target_os = "macos") { "darwin" } else { env::consts::OS };
    let processor = if env::consts::ARCH == "aarch64" { "arm64" } else { "64" };
    node_modules().join(format!("@cloudflare/workerd-{system}-{processor}/bin/workerd"))
}

/// wrangler.jsonc, whose comments are whole lines.
fn wrangler_config() -> Result<Value> {
    let file = workspace::root().join("wrangler.jsonc");
    let lines: Vec<String> = workspace::read(&file)?
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .map(String::from)
        .collect();
    serde_json::from_str(&lines.join("\n"))
        .map_err(|cause| Failure::new(format!("{} is not understood: {cause}.", file.display())))
}

fn string<'a>(of: &'a Value, name: &str) -> &'a str {
    of[name].as_str().unwrap_or_default()
}

/// The page's rules: those of the edge, and `public/_headers`, which workerd wants as text.
fn assets(wrangler: &Value, headers: &str) -> Value {
    let said = &wrangler["assets"];
    json!({
        "not_found_handling": said["not_found_handling"],
        "run_worker_first": said["run_worker_first"],
        "headers": headers,
    })
}

/// The consumers of the queues, as workerd names their settings.
fn consumers(wrangler: &Value) -> Value {
    let settings = [
        ("max_batch_size", "maxBatchSize"),
        ("max_batch_timeout", "maxBatchTimeout"),
        ("max_retries", "maxRetries"),
        ("dead_letter_queue", "deadLetterQueue"),
    ];
    let consumer = |said: &Value| {
        let mut consumer = Map::from_iter([("consumer".to_owned(), json!(WORKER))]);
        consumer.extend(
            settings
                .iter()
                .filter_map(|(theirs, ours)| Some(((*ours).to_owned(), said.get(theirs)?.clone()))),
        );
        (string(said, "queue").to_owned(), Value::Object(consumer))
    };
    wrangler["queues"]["consumers"].as_array().into_iter().flatten().map(consumer).collect()
}

/// The modules of a build, the entry first, each a line of the list.
fn modules_of(files: &[PathBuf]) -> impl Iterator<Item = String> {
    let kind = |file: &Path| match file.extension()?.to_str()? {
        "js" | "mjs" => Some("esModule"),
        "wasm" => Some("wasm"),
        _ => None,
    };
    let mut modules: Vec<(String, &str)> =
        files.iter().filter_map(|file| Some((file.display().to_string(), kind(file)?))).collect();
    modules.sort_by_key(|(file, _)| (file != "index.js", file.clone()));
    modules.into_iter().map(|(file, kind)| {
        format!("\n    (name = {}, {kind} = embed {}),", text(&file), text(&format!("worker/{file}")))
    })
}

fn variable(name: &str) -> String {
    format!("\n    (name = {0}, fromEnvironment = {0}),", text(name))
}

fn protocol(machine: &Machine<'_>) -> String {
    let options = match machine.front {
        // A header without a value is taken away.
        Front::Clients => r#"(injectRequestHeaders = [(name = "CF-Connecting-IP")])"#,
        Front::Proxy => r#"(forwardedProtoHeader = "X-Forwarded-Proto")"#,
    };
    match machine.tls {
        None => format!("http = {options}"),
        Some(tls) => {
            let file = |path: &Path| format!("embed {}", text(&path.display().to_string()));
            let keypair =
                format!("(privateKey = {}, certificateChain = {})", file(&tls.key), file(&tls.certificate));
            format!("https = (options = {options}, tlsOptions = (keypair = {keypair}))")
        }
    }
}

/// A text as Cap'n Proto writes it.
fn text(value: &str) -> String {
    let escaped = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n").replace('\r', "\\r");
    format!("\"{escaped}\"")
}

fn texts(values: &Value) -> String {
    let all: Vec<String> =
        values.as_array().into_iter().flatten().filter_map(Value::as_str).map(text).collect();
    format!("[{}]", all.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine() -> Machine<'static> {
        Machine {
            address: "127.0.0.1:8080",
            tls: None,
            reach: Reach::Public,
            front: Front::Clients,
            variables: vec!["SEALING_KEYS"],
        }
    }

    /// The configuration of a Worker and a page of a few files.
    fn filled(machine: &Machine<'_>) -> String {
        let root = workspace::root();
        configuration(machine, &root.join("edge/src/facade"), &root.join("public")).expect("it is filled in")
    }

    #[test]
    fn every_word_is_filled_in() {
        let filled = filled(&machine());
        assert_eq!(filled.matches('%').count(), 0, "{filled}");
        for part in [
            r#"address = "127.0.0.1:8080", service = "page", http = (injectRequestHeaders"#,
            r#"allow = ["public"], tls"#,
            r#"(name = "SEALING_KEYS", fromEnvironment = "SEALING_KEYS"),"#,
            r#"\"/v1/*\""#,
            r#"{\"POSTERN\":[\"* * * * *\"]}"#,
            "Content-Security-Policy",
        ] {
            assert!(filled.contains(part), "{part}: {filled}");
        }
    }

    #[test]
    fn every_binding_of_the_edge_is_in_the_template() {
        let wrangler = wrangler_config().expect("wrangler.jsonc");
        let lists = [
            &wrangler["kv_namespaces"],
            &wrangler["durable_objects"]["bindings"],
            &wrangler["queues"]["producers"],
        ];
        let mut names: Vec<&str> = lists
            .into_iter()
            .flat_map(|list| list.as_array().expect("a list"))
            .map(|binding| binding["binding"].as_str().or(binding["name"].as_str()).expect("a name"))
            .collect();
        names.push(string(&wrangler["assets"], "binding"));
        assert_eq!(names.len(), 5);
        for name in names {
            assert!(TEMPLATE.contains(&format!("(name = \"{name}\", ")), "{name}");
        }
    }

    #[test]
    fn queues_have_the_settings_of_the_edge() {
        let wrangler = wrangler_config().expect("wrangler.jsonc");
        assert_eq!(
            consumers(&wrangler)["retries"],
            json!({
                "consumer": "POSTERN", "maxBatchSize": 5, "maxBatchTimeout": 0, "maxRetries": 3,
                "deadLetterQueue": "dead-letters"
            })
        );
    }

    #[test]
    fn the_entry_is_the_first_module() {
        let files = ["a/shim.mjs", "index.js", "index_bg.wasm", "package.json"].map(PathBuf::from);
        let modules: Vec<String> = modules_of(&files).collect();
        assert_eq!(modules.len(), 3, "{modules:?}");
        assert!(modules[0].contains("esModule = embed \"worker/index.js\""), "{modules:?}");
        assert!(modules[2].contains("wasm = embed \"worker/index_bg.wasm\""), "{modules:?}");
    }

    #[test]
    fn what_a_file_says_stays_a_text() {
        assert_eq!(text("a\"b\\c\nd"), r#""a\"b\\c\nd""#);
    }

    #[test]
    fn only_whoever_asks_for_it_trusts_a_proxy_or_reaches_private_addresses() {
        let tls = Tls { certificate: PathBuf::from("/C"), key: PathBuf::from("/K") };
        let open = Machine { tls: Some(&tls), reach: Reach::Everywhere, front: Front::Proxy, ..machine() };
        let (strict, open) = (filled(&machine()), filled(&open));
        assert!(!strict.contains("\"private\"") && !strict.contains("X-Forwarded-Proto"));
        assert!(open.contains(r#"allow = ["public", "private"]"#), "{open}");
        assert!(
            open.contains(
                r#"https = (options = (forwardedProtoHeader = "X-Forwarded-Proto"), tlsOptions = (keypair = (privateKey = embed "/K", certificateChain = embed "/C")))"#
            ),
            "{open}"
        );
    }
}
