//! A real `wrangler dev`, or another home of the Worker, with a state of its own.
//!
//! Each stack runs a copy of the built Worker and dashboard from a fresh folder, so that a rebuild meanwhile
//! changes nothing, and keeps everything stateful there: Durable Objects, KV, secrets, registry, logs. It
//! ends with the test process ([`crate::supervised`]).

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;
use tokio::sync::OnceCell;

use crate::artefacts;
use crate::client::{Api, Project};
use crate::supervised::Supervised;
use crate::wait::until;

/// The administrator's token of every stack.
pub const ADMIN_TOKEN: &str = "test-administrator-0123456789abcdef";
/// The sealing key of every stack: the bytes 0 to 31.
const SEALING_KEYS: &str = "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
/// How long a start may take: a busy machine with two cores needs 20 s at worst.
const START: Duration = Duration::from_mins(2);

/// The folder of a tail worker, in a stack that has one.
const TAIL: &str = "tail";

/// What runs the Worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Host {
    /// `wrangler dev`, as people run it: every test.
    Wrangler,
    /// Miniflare's own API (`tests/miniflare.mjs`), without wrangler's proxy: the benchmark.
    Miniflare,
    /// The same, but with another build of Postern ([`Stack::start_then`]): the benchmark.
    Then,
    /// The same, but with the least that any Worker must do (`tests/floor.mjs`) instead of Postern: the
    /// benchmark.
    Floor,
    /// `cargo xtask serve` with these arguments, which becomes workerd itself: a machine of one's own.
    OwnMachine(&'static [&'static str]),
}

/// A running (or stopped) stack.
#[derive(Debug)]
pub struct Stack {
    host: Host,
    dir: PathBuf,
    port: u16,
    running: Option<Supervised>,
}

static SHARED: OnceCell<Stack> = OnceCell::const_new();
static PROJECTS: AtomicU32 = AtomicU32::new(0);

/// The stack that the tests of one file share; projects isolate them from each other.
pub async fn shared() -> &'static Stack {
    SHARED.get_or_init(Stack::start).await
}

/// A fresh project on the shared stack. `label` is part of its name.
pub async fn project(label: &str) -> Project {
    shared().await.project(label).await
}

impl Stack {
    /// Starts a stack with an empty state and waits until it answers.
    pub async fn start() -> Self {
        Self::start_on(Host::Wrangler).await
    }

    /// The same on a host of choice.
    pub async fn start_on(host: Host) -> Self {
        Self::start_with(host, "ALLOW_PRIVATE_TARGETS=\"true\"\n").await
    }

    /// A stack with the variables of a real deployment: private targets are refused.
    pub async fn start_strict() -> Self {
        Self::start_with(Host::Wrangler, "").await
    }

    /// `cargo xtask serve` with these arguments and variables, one `NAME="value"` a line.
    pub async fn start_own_machine(arguments: &'static [&'static str], variables: &str) -> Self {
        Self::start_with(Host::OwnMachine(arguments), variables).await
    }

    /// The same on a copy of a data folder.
    pub async fn start_own_machine_from(data: &Path, arguments: &'static [&'static str]) -> Self {
        let mut stack = Self::prepared(Host::OwnMachine(arguments), "");
        copy_dir(data, &stack.state());
        stack.boot().await;
        stack
    }

    /// A stack with these variables beside its secrets, one `NAME="value"` a line.
    pub async fn start_with_variables(variables: &str) -> Self {
        Self::start_with(Host::Wrangler, &format!("ALLOW_PRIVATE_TARGETS=\"true\"\n{variables}")).await
    }

    /// A stack with a tail worker beside it (`tests/tail.mjs`), which posts what the platform tells of each
    /// invocation to `told_to`: arrays of events as docs/platform.md 12 describes them.
    pub async fn start_with_tail(told_to: &str) -> Self {
        let mut stack = Self::prepared(Host::Wrangler, "ALLOW_PRIVATE_TARGETS=\"true\"\n");
        let config = stack.dir.join("wrangler.jsonc");
        let text = fs::read_to_string(&config).expect("wrangler.jsonc can be read");
        let name = "\"name\": \"postern\",";
        assert!(text.contains(name), "wrangler.jsonc names the Worker");
        let text =
            text.replacen(name, &format!("{name}\n  \"tail_consumers\": [{{ \"service\": \"tail\" }}],"), 1);
        fs::write(&config, text).expect("wrangler.jsonc can be written");
        let tail = stack.dir.join(TAIL);
        fs::create_dir_all(&tail).expect("the stack's folder can be written");
        fs::copy(artefacts::root().join("tests/tail.mjs"), tail.join("tail.mjs"))
            .expect("the tail worker can be copied");
        let own = json!({ "name": "tail", "main": "tail.mjs", "compatibility_date": "2026-11-01", "vars": { "TOLD_TO": told_to } });
        fs::write(tail.join("wrangler.json"), own.to_string())
            .expect("the tail worker's configuration can be written");
        stack.boot().await;
        stack
    }

    /// A stack that serves this build of the dashboard.
    pub async fn start_serving(dashboard: &Path) -> Self {
        let mut stack = Self::prepared(Host::Wrangler, "ALLOW_PRIVATE_TARGETS=\"true\"\n");
        let served = stack.dir.join("dist");
        fs::remove_dir_all(&served).expect("the stack's folder can be written");
        copy_dir(dashboard, &served);
        stack.boot().await;
        stack
    }

    /// Another build of the Worker with the configuration of its own time, from a folder that `cargo xtask
    /// bench --against COMMIT` made: `worker` and `wrangler.jsonc`.
    pub async fn start_then(built: &Path) -> Self {
        let mut stack = Self::prepared(Host::Then, "ALLOW_PRIVATE_TARGETS=\"true\"\n");
        let worker = stack.dir.join("edge/build");
        fs::remove_dir_all(&worker).expect("the stack's folder can be written");
        copy_dir(&built.join("worker"), &worker);
        fs::copy(built.join("wrangler.jsonc"), stack.dir.join("wrangler.jsonc"))
            .expect("the other build's wrangler.jsonc can be copied");
        stack.boot().await;
        stack
    }

    async fn start_with(host: Host, variables: &str) -> Self {
        let mut stack = Self::prepared(host, variables);
        stack.boot().await;
        stack
    }

    /// A stack that was not started yet, in a folder of its own.
    fn prepared(host: Host, variables: &str) -> Self {
        let port = free_port();
        let dir = std::env::temp_dir().join(format!("postern-{}-{port}", std::process::id()));
        copy_dir(&artefacts::worker(), &dir.join("edge/build"));
        copy_dir(&artefacts::dashboard(), &dir.join("dist"));
        fs::copy(artefacts::root().join("wrangler.jsonc"), dir.join("wrangler.jsonc"))
            .expect("wrangler.jsonc can be copied");
        let secrets = format!(
            "ADMIN_TOKEN=\"{ADMIN_TOKEN}\"\nSEALING_KEYS=\"{SEALING_KEYS}\"\n{}{variables}",
            unlimited(variables)
        );
        let stack = Self { host, dir, port, running: None };
        fs::create_dir_all(stack.dir.join("tmp")).expect("the stack's folder can be written");
        fs::create_dir_all(stack.state()).expect("the stack's folder can be written");
        fs::write(stack.variables(), secrets).expect("the stack's secrets can be written");
        stack
    }

    /// The folder of everything that outlives a start.
    #[must_use]
    pub fn state(&self) -> PathBuf {
        self.dir.join("state")
    }

    /// The file of secrets and variables.
    fn variables(&self) -> PathBuf {
        match self.host {
            Host::OwnMachine(_) => self.state().join("postern.env"),
            Host::Wrangler | Host::Miniflare | Host::Then | Host::Floor => self.dir.join(".dev.vars"),
        }
    }

    /// `http://127.0.0.1:PORT`
    #[must_use]
    pub fn base(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The native API as the administrator.
    #[must_use]
    pub fn admin(&self) -> Api {
        Api::new(&self.base(), Some(ADMIN_TOKEN))
    }

    /// The native API without a token.
    #[must_use]
    pub fn anonymous(&self) -> Api {
        Api::new(&self.base(), None)
    }

    /// Creates a project with a name of its own.
    pub async fn project(&self, label: &str) -> Project {
        let name = format!("{label}-{}", PROJECTS.fetch_add(1, Ordering::Relaxed));
        let created = self
            .admin()
            .send(Method::POST, "/v1/projects", Some(&json!({ "name": name })))
            .await
            .expect(201)
            .json();
        Project::new(
            &self.base(),
            &name,
            created["token"].as_str().expect("a new project comes with a token"),
        )
    }

    /// Starts the stack again on the same port with the state it has.
    pub async fn boot(&mut self) {
        assert!(self.running.is_none(), "the stack runs already");
        let running = self.spawn();
        let health = self.anonymous();
        let started = Instant::now();
        until("the stack answers /healthz", 2 * START, async || {
            assert!(!running.is_over(), "the stack ended at its start:\n{}", self.log());
            assert!(started.elapsed() < START, "the stack does not answer:\n{}", self.log());
            health.try_get("/healthz").await.is_some_and(|reply| reply.status == 200)
        })
        .await;
        self.running = Some(running);
    }

    /// `kill -9` of the whole process group, as a machine that loses power; the state stays.
    pub async fn kill9(&mut self) {
        if let Some(running) = self.running.take() {
            running.kill9().await;
        }
    }

    /// Ends the stack as Ctrl-C does, so that it may finish; the state stays.
    pub async fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            running.interrupt().await;
        }
    }

    /// Sets a variable of the deployment; it holds from the next start on.
    pub fn set_variable(&self, name: &str, value: &str) {
        assert!(self.running.is_none(), "a running stack has read its variables already");
        let file = self.variables();
        let text = fs::read_to_string(&file).expect("the stack's variables can be read");
        let before = format!("{name}=");
        let mut lines: Vec<&str> = text.lines().filter(|line| !line.starts_with(&before)).collect();
        let own = format!("{name}=\"{value}\"");
        lines.extend([own.as_str(), ""]);
        fs::write(file, lines.join("\n")).expect("the stack's variables can be written");
    }

    /// Stops and starts.
    pub async fn restart(&mut self) {
        self.stop().await;
        self.boot().await;
    }

    /// CPU time that the stack has used since its start.
    #[must_use]
    pub fn cpu(&self) -> Duration {
        self.running.as_ref().map_or(Duration::ZERO, Supervised::cpu)
    }

    /// What wrangler and the Worker wrote so far.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.dir.join("output.log")).unwrap_or_default()
    }

    /// Whether any file of the state (SQLite, KV, their logs) holds `text` as it is.
    #[must_use]
    pub fn state_holds(&self, text: &str) -> bool {
        any_file_holds(&self.state(), text.as_bytes())
    }

    /// Files of the objects that were ever made (SQLite, one or more for each).
    #[must_use]
    pub fn objects(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        files_below(&self.state().join("v3/do"), &mut found);
        found.retain(|file| file.extension().is_some_and(|extension| extension == "sqlite"));
        found.sort();
        found
    }

    /// Lets the watchdog cron fire once (docs/platform.md 1.5: its address under `wrangler dev`).
    pub async fn fire_cron(&self) {
        self.anonymous()
            .send(Method::GET, "/cdn-cgi/handler/scheduled?cron=*+*+*+*+*", None)
            .await
            .expect(200);
    }

    fn spawn(&self) -> Supervised {
        match self.host {
            Host::OwnMachine(arguments) => self.spawn_xtask(arguments),
            Host::Wrangler | Host::Miniflare | Host::Then | Host::Floor => self.spawn_node(),
        }
    }

    fn spawn_xtask(&self, arguments: &[&str]) -> Supervised {
        Supervised::start(&artefacts::xtask(), &self.dir, |command| {
            command.args(["serve", "--built", "--listen", &format!("127.0.0.1:{}", self.port), "--data"]);
            command.arg(self.state()).args(arguments);
            command
                .env("POSTERN_WORKER", self.dir.join("edge/build"))
                .env("POSTERN_DIST", self.dir.join("dist"));
        })
    }

    fn spawn_node(&self) -> Supervised {
        let node = artefacts::node();
        let node_dir = node.parent().expect("node lies in a folder").to_path_buf();
        let path = std::env::join_paths(
            std::iter::once(node_dir)
                .chain(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())),
        )
        .expect("the folders of PATH can be joined");
        Supervised::start(&node, &self.dir, |command| {
            self.arguments(command);
            command
                .env("PATH", path)
                .env("TMPDIR", self.dir.join("tmp"))
                .env("XDG_CONFIG_HOME", self.dir.join("config"));
            command.envs(QUIET);
            for (variable, folder) in [
                ("WRANGLER_REGISTRY_PATH", "registry"),
                ("WRANGLER_LOG_PATH", "logs"),
                ("MINIFLARE_CACHE_DIR", "cache"),
            ] {
                command.env(variable, self.dir.join(folder));
            }
        })
    }

    fn arguments(&self, command: &mut Command) {
        let port = self.port.to_string();
        match self.host {
            Host::OwnMachine(_) => {}
            Host::Wrangler => {
                command.arg(artefacts::wrangler()).args([
                    "dev",
                    "--ip",
                    "127.0.0.1",
                    "--port",
                    &port,
                    "--inspector-port",
                    "0",
                ]);
                command.arg("--persist-to").arg(self.state()).arg("--show-interactive-dev-session=false");
                if self.dir.join(TAIL).exists() {
                    // The first is the one that requests reach.
                    command.args(["-c", "wrangler.jsonc", "-c"]).arg(Path::new(TAIL).join("wrangler.json"));
                }
            }
            Host::Miniflare | Host::Then => {
                command.arg(artefacts::root().join("tests/miniflare.mjs")).arg(port);
            }
            Host::Floor => {
                command
                    .arg(artefacts::root().join("tests/miniflare.mjs"))
                    .arg(port)
                    .arg(artefacts::root().join("tests/floor.mjs"));
            }
        }
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        // A running stack's supervisor removes the folder.
        if self.running.is_none() {
            drop(fs::remove_dir_all(&self.dir));
        }
    }
}

/// Keeps wrangler from asking, updating, reporting and tracing (docs/platform.md 1.8).
const QUIET: [(&str, &str); 10] = [
    // What is served was copied into the stack's folder, where nothing can be built.
    ("POSTERN_BUILT", "1"),
    ("CI", "1"),
    ("DO_NOT_TRACK", "1"),
    ("WRANGLER_SEND_METRICS", "false"),
    ("WRANGLER_SEND_ERROR_REPORTS", "false"),
    ("WRANGLER_NO_SKILLS_UPDATE_PROMPTS", "true"),
    ("WRANGLER_HIDE_BANNER", "true"),
    ("CLOUDFLARE_CF_FETCH_ENABLED", "false"),
    ("X_LOCAL_OBSERVABILITY", "false"),
    ("X_LOCAL_EXPLORER", "false"),
];

/// All tests have one address, and some guess for a living: limits are lifted where a stack does not set its
/// own.
fn unlimited(variables: &str) -> String {
    let lifted =
        |name: &str| if variables.contains(name) { String::new() } else { format!("{name}=\"0\"\n") };
    [
        "AUTH_FAILURES_PER_MINUTE",
        "PUBLIC_REQUESTS_PER_MINUTE",
        // All receivers of a stack are one host, and the benchmark is in a hurry.
        "QUOTA_ORIGIN_WEBHOOKS",
        "QUOTA_INBOX_REQUESTS_PER_MINUTE",
        "QUOTA_EVENTS_PER_MINUTE",
        "QUOTA_LIVE_SOCKETS",
    ]
    .map(lifted)
    .concat()
}

/// Ports that are given to stacks: below those that Linux gives to connections (32,768 and up), which
/// otherwise took a port between this answer and the start of what was to listen there.
const PORTS: Range<u16> = 20_000..32_000;

/// A port of 127.0.0.1 that nobody listens on. Each process starts elsewhere, because test programs run side
/// by side.
#[must_use]
pub fn free_port() -> u16 {
    static GIVEN: AtomicU32 = AtomicU32::new(0);
    for _ in PORTS {
        let at = std::process::id().wrapping_mul(61).wrapping_add(GIVEN.fetch_add(1, Ordering::Relaxed))
            % u32::from(PORTS.end - PORTS.start);
        let port = PORTS.start + u16::try_from(at).expect("a place in a range of ports");
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
    panic!("no port of 127.0.0.1 is free between {} and {}", PORTS.start, PORTS.end);
}

fn copy_dir(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap_or_else(|fault| panic!("{} cannot be made: {fault}", to.display()));
    for entry in
        fs::read_dir(from).unwrap_or_else(|fault| panic!("{} cannot be read: {fault}", from.display()))
    {
        let path = entry.expect("a folder's entries can be read").path();
        let target = to.join(path.file_name().expect("an entry has a name"));
        if path.is_dir() {
            copy_dir(&path, &target);
        } else {
            fs::copy(&path, &target)
                .unwrap_or_else(|fault| panic!("{} cannot be copied: {fault}", path.display()));
        }
    }
}

fn files_below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() { files_below(&path, found) } else { found.push(path) }
    }
}

fn any_file_holds(folder: &Path, wanted: &[u8]) -> bool {
    let entries =
        fs::read_dir(folder).unwrap_or_else(|fault| panic!("{} cannot be read: {fault}", folder.display()));
    entries.flatten().any(|entry| {
        let path = entry.path();
        if path.is_dir() {
            return any_file_holds(&path, wanted);
        }
        match fs::read(&path) {
            Ok(bytes) => bytes.windows(wanted.len()).any(|window| window == wanted),
            // SQLite removes a journal when it is written back.
            Err(fault) if fault.kind() == std::io::ErrorKind::NotFound => false,
            Err(fault) => panic!("{} cannot be read: {fault}", path.display()),
        }
    })
}
