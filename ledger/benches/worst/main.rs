//! `cargo xtask bench --only worst`: which request within the documented limits costs most CPU. Every door
//! that can be walked through without a Worker is tried with many shapes of requests, each of them made to
//! cost much; the worst are printed, and the program fails where one takes longer than [`limit_ms`].
//!
//! It measures parsing, matching, and what the ledger does with SQLite in memory; it does not show how fast a
//! Worker is. That the steps which are counted stay within their budget is a test of its own
//! (`tests/worst.rs`).
#![expect(clippy::print_stdout, reason = "a program that reports on its terminal")]
#![expect(
    clippy::disallowed_methods,
    reason = "a benchmark reads a clock; the ledger that it measures is handed the time"
)]

#[path = "../../tests/support/random.rs"]
#[expect(dead_code, reason = "the simulation uses the rest")]
mod random;
mod reads;
#[path = "../../tests/support/shapes.rs"]
#[expect(dead_code, reason = "the test counts, the benchmark measures")]
mod shapes;
#[path = "../../tests/support/mod.rs"]
#[expect(dead_code, reason = "the tests use the rest")]
mod support;

use std::process::ExitCode;
use std::rc::Rc;
use std::time::{Duration, Instant};

use postern_core::config;
use postern_core::egress::Policy;
use postern_core::event::{EventTypeDraft, NewEvent, parse_batch, parse_event, parse_event_type};
use postern_core::facade::{actinia, ubiops, up42};
use postern_core::fault::{BODY_BYTES_MAX, parse_json};
use postern_core::query::{DeliveryQuery, ExportQuery, StatsQuery};
use postern_core::quota::Quotas;
use postern_core::run::{self, Entry, RunMode};
use postern_core::signing::{self, Secret, SecretKind};
use postern_core::{import, inbox, webhook};
use postern_ledger::{InlineLimit, Ledger, LedgerError};
use serde_json::json;

use crate::random::Random;
use crate::shapes::{DATA_BYTES, KIND, Shape};
use crate::support::build::{START, ledger};
use crate::support::native::Native;

/// Milliseconds of CPU that one request may take.
const LIMIT_MS: f64 = 100.0;
/// Milliseconds of CPU that a configuration may take beyond them, for each MiB of its document
/// (docs/decisions/0007).
const LIMIT_MS_A_MIB: f64 = 200.0;
/// Shapes that are tried at each door.
const ROUNDS: u64 = 60;
/// How often the worst one is measured again: the quickest counts, because a machine is never slower than its
/// program.
const AGAIN: usize = 3;

/// A request that is ready to be made, in words and as what to do.
struct Request {
    words: String,
    act: Box<dyn FnOnce()>,
}

impl Request {
    fn new(words: impl Into<String>, act: impl FnOnce() + 'static) -> Self {
        Self { words: words.into(), act: Box::new(act) }
    }

    /// A body for a parser.
    fn of_body<T>(of: &str, body: String, parse: impl FnOnce(&str) -> T + 'static) -> Self {
        Self::new(format!("{of} in {} bytes", body.len()), move || drop(std::hint::black_box(parse(&body))))
    }
}

/// What makes a request for a door.
type Maker = fn(&mut Random) -> Request;

/// The doors, and what makes a request for each.
const DOORS: [(&str, Maker); 28] = [
    ("POST events", event),
    ("POST events/batch", batch),
    ("POST events/dry-run", dry_run),
    ("GET events/…/decisions", decisions),
    ("POST events, repeated", repeated),
    ("POST event-types", event_type),
    ("POST webhooks", webhook_create),
    ("POST config/plan", config_plan),
    ("POST import/preview", import_preview),
    ("POST inboxes", |random| garbage(random, |body| drop(inbox::create(body)))),
    ("POST runs", |random| {
        garbage(random, |body| drop(run::parse::create(body, &Policy::default(), entry())))
    }),
    ("POST runs/…/updates", |random| garbage(random, |body| drop(run::parse::update(body)))),
    ("actinia: a process chain", |random| {
        garbage(random, |body| drop(actinia::chain::submit(body, &Policy::default(), entry(), RunMode::Work)))
    }),
    ("UbiOps: a webhook", |random| garbage(random, |body| drop(ubiops::create(body, &Policy::default())))),
    ("UP42: a webhook", |random| {
        garbage(random, |body| drop(up42::create(body, &Policy::default(), &["job.status"])))
    }),
    ("a query string", query),
    ("an inbox verifies", verify),
    ("an inbox masks its path", masked_path),
    ("GET deliveries", reads::deliveries),
    ("GET deliveries/count", reads::count),
    ("GET deliveries/histogram", reads::histogram),
    ("GET totals", reads::totals),
    ("GET events", reads::events),
    ("GET stats", reads::stats),
    ("POST replays, counted", reads::replay_count),
    ("GET webhooks", reads::webhooks),
    ("UbiOps: the list", reads::ubiops_list),
    ("any JSON body", |random| garbage(random, |body| drop(parse_json(body)))),
];

fn main() -> ExitCode {
    // `cargo test --benches` would call it, too; measuring is for `cargo bench`.
    if !std::env::args().any(|argument| argument == "--bench") {
        return ExitCode::SUCCESS;
    }
    let only = std::env::var("POSTERN_DOOR").unwrap_or_default();
    let mut too_slow = 0;
    println!("{:<26} {:>9}  {:>12}  the worst of {ROUNDS} requests", "door", "CPU", "allowed");
    for (door, make) in DOORS.into_iter().filter(|(door, _make)| door.contains(&only)) {
        let found = (0..ROUNDS)
            .map(|seed| (cpu_of(make(&mut Random::new(seed))), seed))
            .max_by_key(|(took, _seed)| *took);
        let Some((first, seed)) = found else { continue };
        let took = (0..AGAIN)
            .map(|_again| cpu_of(make(&mut Random::new(seed))))
            .fold(first, Duration::min)
            .as_secs_f64()
            * 1_000.0;
        let words = make(&mut Random::new(seed)).words;
        let limit = limit_ms(door);
        println!("{door:<26} {took:>6.1} ms  of {limit:>6.0} ms  {words}");
        too_slow += u32::from(took > limit);
    }
    println!("\n{too_slow} doors take more CPU than is allowed.");
    if too_slow == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Milliseconds of CPU that the costliest request at a door may take.
fn limit_ms(door: &str) -> f64 {
    let document_mib = if door == "POST config/plan" { config::CONFIG_BYTES_MAX >> 20 } else { 0 };
    LIMIT_MS + LIMIT_MS_A_MIB * f64::from(u32::try_from(document_mib).unwrap_or(u32::MAX))
}

/// CPU that the request takes on this thread; on systems that do not tell, the time.
fn cpu_of(request: Request) -> Duration {
    let (begun, cpu) = (Instant::now(), cpu());
    (request.act)();
    match (cpu, self::cpu()) {
        (Some(before), Some(after)) => after.saturating_sub(before),
        _ => begun.elapsed(),
    }
}

/// What this thread has used so far (`proc(5)`, schedstat).
fn cpu() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}

type Project = Ledger<Rc<Native>>;

fn entry() -> Entry {
    Entry { origin: String::from("https://p.example"), path: String::from("/x"), endpoint: String::from("x") }
}

fn project_of(shape: &Shape) -> Project {
    let mut project = ledger();
    project.set_quotas(Quotas::default());
    if let Some(schema) = &shape.schema {
        let draft =
            EventTypeDraft { schema: Some(schema.clone()), ..EventTypeDraft::new(String::from(KIND)) };
        project.create_event_type(draft, START).expect("an event type");
    }
    for webhook in &shape.webhooks {
        let seq = project.reserve(START);
        match project.create_webhook(seq, webhook.clone(), START) {
            Ok(_webhook) => {}
            // The project's definitions are as long as they may be.
            Err(LedgerError::StateConflict { .. }) => break,
            Err(other) => panic!("a webhook: {other}"),
        }
    }
    project
}

fn event(random: &mut Random) -> Request {
    let shape = Shape::new(random, DATA_BYTES);
    let (mut project, body) = (project_of(&shape), shape.body());
    Request::new(shape.words, move || {
        if let Ok(event) = parse_event(&body) {
            drop(std::hint::black_box(project.ingest(vec![event], InlineLimit(6), START)));
        }
    })
}

fn batch(random: &mut Random) -> Request {
    let count = *random.pick(&[2usize, 10, 50, 100]).expect("a number");
    let shape = Shape::new(random, DATA_BYTES / count - 50);
    let mut project = project_of(&shape);
    let body = format!(r#"{{"events":[{}]}}"#, vec![shape.body(); count].join(","));
    Request::new(format!("{count} events: {}", shape.words), move || {
        if let Ok(events) = parse_batch(&body) {
            drop(std::hint::black_box(project.ingest(events, InlineLimit(6), START)));
        }
    })
}

fn dry_run(random: &mut Random) -> Request {
    let shape = Shape::new(random, DATA_BYTES);
    let (mut project, body) = (project_of(&shape), shape.body());
    Request::new(shape.words, move || {
        if let Ok(event) = parse_event(&body) {
            drop(std::hint::black_box(project.dry_run(event, None, START)));
        }
    })
}

/// Why each webhook got an event, or did not, once it is stored.
fn decisions(random: &mut Random) -> Request {
    let shape = Shape::new(random, DATA_BYTES);
    let (mut project, body) = (project_of(&shape), shape.body());
    let accepted = parse_event(&body).ok().and_then(|event| {
        let accepted = project.ingest(vec![event], InlineLimit(0), START).ok()?;
        accepted.accepted.into_iter().next()
    });
    Request::new(shape.words, move || {
        if let Some(event) = accepted {
            drop(std::hint::black_box(project.decisions(&event.id, None)));
        }
    })
}

/// The same event again, written a little differently.
fn repeated(random: &mut Random) -> Request {
    let mut shape = Shape::new(random, DATA_BYTES);
    (shape.webhooks, shape.schema) = (Vec::new(), None);
    let mut project = ledger();
    let keyed = |event: NewEvent| NewEvent { idempotency_key: Some(String::from("k")), ..event };
    let first = parse_event(&shape.body()).expect("an event");
    project.ingest(vec![keyed(first)], InlineLimit(0), START).expect("it is taken");
    let body = shape.body().replacen('[', "[ ", 1).replacen(r#"{"a""#, r#"{ "a""#, 1);
    Request::new(shape.words, move || {
        if let Ok(event) = parse_event(&body) {
            drop(std::hint::black_box(project.ingest(vec![keyed(event)], InlineLimit(0), START)));
        }
    })
}

fn event_type(random: &mut Random) -> Request {
    let (of, schema) = shapes::schema(random);
    let shape = Shape::new(random, BODY_BYTES_MAX - 40_000);
    let body = format!(r#"{{"name":"{KIND}","schema":{schema},"example":{}}}"#, shape.data);
    Request::of_body(&format!("{}, a schema of {of}", shape.words), body, |body| {
        parse_json(body).map(|body| parse_event_type(&body))
    })
}

fn webhook_create(random: &mut Random) -> Request {
    let shape = Shape::new(random, 1_000);
    let filter = shape
        .webhooks
        .first()
        .and_then(|webhook| webhook.filter.as_ref())
        .map(postern_core::condition::Condition::to_value);
    let many = |what: &str, count: usize| -> Vec<String> {
        (0..count).map(|number| format!("{what}{number}")).collect()
    };
    let draft = json!({
        "name": "w",
        "url": format!("https://{}.example/", "a".repeat(*random.pick(&[1, 60, 200_000]).expect("a length"))),
        "events": many("order.e", *random.pick(&[1, 50, 10_000]).expect("a count")),
        "filter": filter,
        "labels": many("k", *random.pick(&[1, 32, 5_000]).expect("a count")).into_iter().map(|key| (key, json!("v"))).collect::<serde_json::Map<_, _>>(),
        "retry_schedule_s": vec![1; *random.pick(&[1, 20, 50_000]).expect("a count")],
    });
    Request::of_body(&shape.words, draft.to_string(), |body| {
        parse_json(body).map(|draft| webhook::parse::create(&draft, &Policy::default()))
    })
}

/// A document that fills its limit, for a project that has as much already.
fn config_plan(random: &mut Random) -> Request {
    let shape = Shape::new(random, 20_000);
    let count = *random.pick(&[10usize, 300, 1_000, 3_000]).expect("a count");
    let mut state = config::State::default();
    let mut webhooks = Vec::new();
    let mut types = Vec::new();
    let filter = shape
        .webhooks
        .first()
        .and_then(|webhook| webhook.filter.as_ref())
        .map(postern_core::condition::Condition::to_value);
    let mut left = config::CONFIG_BYTES_MAX - 1_000;
    for number in 0..count {
        let webhook = json!({"name": format!("w{number}"), "url": "https://r.example/", "events": ["*"], "filter": filter});
        let kind = json!({"name": format!("t{number}"), "schema": shape.schema, "example": parse_json(&shape.data).ok()});
        let bytes = webhook.to_string().len() + kind.to_string().len() + 2;
        if bytes > left {
            break;
        }
        left -= bytes;
        if let Ok((definition, _choice)) = webhook::parse::create(&webhook, &Policy::default()) {
            state.webhooks.push((1, definition));
        }
        webhooks.push(webhook);
        types.push(kind);
    }
    let body = json!({"document": {"webhooks": webhooks, "event_types": types}}).to_string();
    let words = format!("{} webhooks and types like: {}", state.webhooks.len(), shape.words);
    Request::of_body(&words, body, move |body| {
        config::Request::parse(body).map(|request| {
            config::plan(&state, &request, &Policy::default()).map(|plan| plan.view(String::new()))
        })
    })
}

fn import_preview(random: &mut Random) -> Request {
    let count = *random.pick(&[100usize, 1_000, 3_000]).expect("a count");
    let name = *random.pick(&["same", "", "x/y"]).expect("a name");
    let (from, item) = random
        .pick(&[
            ("svix", json!({"uid": name, "url": "https://r.example/", "filterTypes": ["a.b"]})),
            ("ubiops", json!({"name": name, "url": "https://r.example/", "event": "deployment_request_completed"})),
            ("hook0", json!({"subscription_id": name, "event_types": ["a"], "target": {"type": "http", "url": "https://r.example/"}})),
        ])
        .cloned()
        .expect("a system");
    let body = json!({"from": from, "listing": vec![item; count]}).to_string();
    Request::of_body(&format!("{count} of {from} called {name:?}"), body, |body| {
        import::Request::parse(body).map(|request| import::preview(&request, &Policy::default()))
    })
}

/// A body that is nothing that anybody wants, as costly as can be: for every parser of bodies.
fn garbage(random: &mut Random, parse: impl FnOnce(&str) + 'static) -> Request {
    let fill = |item: &dyn Fn(usize) -> String, open: char, close: char| {
        let mut body = String::from(open);
        let mut number = 0;
        while body.len() < BODY_BYTES_MAX - 300 {
            if number > 0 {
                body.push(',');
            }
            body.push_str(&item(number));
            number += 1;
        }
        body.push(close);
        body
    };
    let (of, body) = match random.below(9) {
        0 => ("unknown members", fill(&|number| format!(r#""u{number}":1"#), '{', '}')),
        1 => ("one member again and again", fill(&|_number| String::from(r#""name":1"#), '{', '}')),
        2 => ("short unknown members", fill(&|number| format!(r#""{number:x}":0"#), '{', '}')),
        3 => ("a long list", fill(&|_number| String::from("1"), '[', ']')),
        4 => {
            ("chains", format!(r#"{{"version":1,"list":{}}}"#, fill(&|_number| String::from("{}"), '[', ']')))
        }
        5 => (
            "labels",
            format!(r#"{{"name":"w","labels":{}}}"#, fill(&|number| format!(r#""l{number}":1"#), '{', '}')),
        ),
        6 => ("deep lists", format!("{}{}", "[".repeat(BODY_BYTES_MAX / 2), "]".repeat(BODY_BYTES_MAX / 2))),
        7 => ("names of quotes", fill(&|number| format!(r#""\"\\\u00e4{number}":1"#), '{', '}')),
        _ => ("long names", fill(&|number| format!(r#""{}{number}":1"#, "~/".repeat(200)), '{', '}')),
    };
    Request::of_body(of, body, |body| parse(body))
}

fn query(random: &mut Random) -> Request {
    // What a URL holds at most on the platform.
    const BYTES: usize = 16 * 1024;
    let (of, text) = random
        .pick(&[
            ("one parameter again and again", "state=dead&".repeat(BYTES / 11)),
            (
                "unknown parameters",
                (0..BYTES / 8).fold(String::new(), |text, number| text + &format!("u{number}=1&")),
            ),
            ("percent signs", format!("webhook={}", "%41".repeat(BYTES / 3))),
            ("labels", format!("labels={}", "a:b,".repeat(BYTES / 4))),
            ("nothing", "&".repeat(BYTES)),
        ])
        .cloned()
        .expect("a query");
    Request::of_body(of, text, |text| {
        drop(DeliveryQuery::parse(text));
        drop(ExportQuery::parse_deliveries(text));
        drop(StatsQuery::parse(text, START));
        ubiops::ListFilter::parse(text)
    })
}

/// A path of parameters, as a stranger may call an inbox with it.
fn masked_path(random: &mut Random) -> Request {
    // What a URL holds at most on the platform.
    const BYTES: usize = 16 * 1024;
    let part = *random.pick(&[";", "?", ";a=%41", "&a=%253Fb%253D1", "//u", "/a;b="]).expect("a part");
    let path = format!("/in/p.k?{}", part.repeat(BYTES / part.len()));
    Request::of_body(&format!("{part} again and again"), path, postern_core::credential::masked_url)
}

/// A signature with as many candidates as headers hold, for a project with many secrets.
fn verify(random: &mut Random) -> Request {
    let (kind, candidate) = random
        .pick(&[
            (SecretKind::V1, format!("v1,{}=", "A".repeat(43))),
            (SecretKind::V1a, format!("v1a,{}==", "A".repeat(86))),
        ])
        .expect("a kind")
        .clone();
    // As many as an inbox tries.
    let secrets: Vec<Secret> = (1..=*random.pick(&[1u8, 40]).expect("a count"))
        .map(|number| Secret::generate(kind, &[number; 32]).expect("a secret"))
        .collect();
    let candidates = *random.pick(&[1usize, 16, 300]).expect("a count");
    let signature = vec![candidate.as_str(); candidates].join(" ");
    let body = "x".repeat(BODY_BYTES_MAX);
    let at = START.0 / 1_000;
    Request::of_body(
        &format!("{} secrets of {kind:?}, {candidates} candidates", secrets.len()),
        body,
        move |body| {
            signing::verify(
                &secrets,
                Some("msg_1"),
                Some(&at.to_string()),
                Some(&signature),
                body.as_bytes(),
                at,
            )
        },
    )
}
