//! No operation walks through a table that grows: every statement that the ledger runs is explained by
//! SQLite.

#[path = "support/mod.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod support;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use postern_core::api::audit::SubjectKind;
use postern_core::api::inbox::{InboxRequestView, SignatureVerdict};
use postern_core::api::stats::BucketWidth;
use postern_core::delivery::{Outcome, State};
use postern_core::id::Kind;
use postern_core::project::SettingsPatch;
use postern_core::query::{HistogramQuery, PageQuery, StatsQuery, TotalsQuery};
use postern_core::quota::{Quota, Quotas};
use postern_core::replay::ReplayQuery;
use postern_core::run::{
    CallRecord, CallbackAttempt, Entry, RunDraft, RunEnd, RunMode, RunState, RunUpdate, Target, Webhooks,
};
use postern_core::search::{ObjectFilter, StatusFilter};
use postern_core::time::Timestamp;
use postern_core::token::{Role, TokenDraft};
use postern_core::webhook::Definition;
use postern_ledger::{
    AuditFilter, DeliveryFilter, EventFilter, ExportFilter, InboxChange, InlineLimit, Ledger, LedgerError,
    Report, Row, Sql, SqlError, TestDraft, Value, WebhookFilter,
};

use crate::support::build::{START, attempt, event, in_order, json, keyed, project, webhook};
use crate::support::native::Native;

/// Tables whose rows are limited or few: walking through them is fine.
const SMALL_TABLES: [&str; 13] = [
    "meta",
    "live_ticket",
    "metric",
    "token",
    "webhook",
    "webhook_health",
    "rate_window",
    "event_type",
    "inbox",
    "outbox",
    "replay",
    "sqlite_master",
    "test",
];

/// Notes every statement with the number of its parameters.
struct Recording {
    store: Rc<Native>,
    statements: RefCell<BTreeMap<String, usize>>,
}

impl Sql for Recording {
    fn run(&self, statement: &str, parameters: &[Value]) -> Result<Vec<Row>, SqlError> {
        self.statements.borrow_mut().insert(String::from(statement), parameters.len());
        self.store.run(statement, parameters)
    }

    fn transaction(&self, work: &mut dyn FnMut() -> Result<(), LedgerError>) -> Result<(), LedgerError> {
        self.store.transaction(work)
    }

    fn database_size(&self) -> Result<u64, SqlError> {
        self.store.database_size()
    }
}

/// Uses each operation at least once.
fn use_everything(ledger: &mut Ledger<Rc<Recording>>) -> Result<(), LedgerError> {
    let hook = ledger.reserve(START);
    ledger.create_webhook(hook, webhook("w", "*"), START)?;
    let works = ledger.ingest(vec![keyed("a", "k1"), keyed("b", "k2")], InlineLimit(1), START)?.works.works;
    let tickets = ledger.lease_due(START, 10)?.tickets;
    ledger.claim(&tickets, START)?;
    let mut late = ledger.ingest(vec![keyed("c", "k3")], InlineLimit(0), START)?.changed;
    let tickets = ledger.lease_due(START, 10)?.tickets;
    ledger.claim(&tickets, START.plus_ms(39_000))?;
    let report = |number, status| attempt(number, Outcome::Answered { status }, START);
    ledger.report(vec![Report { delivery: works[0].delivery, attempt: report(1, 500) }], START)?;
    ledger.lease_due(START.plus_ms(500_000), 10)?;
    let delivery = late.remove(0);
    ledger.report(vec![Report { delivery, attempt: report(1, 200) }], START)?;
    let id = ledger.ids().id(Kind::Delivery, delivery);
    ledger.resend(&id, START)?;
    ledger.cancel(&id, START)?;
    ledger.delivery(&id)?;
    let of_event = ledger.delivery(&id)?.event.id;
    for filter in [
        DeliveryFilter::default(),
        DeliveryFilter {
            state: Some(State::Dead),
            webhook: Some(String::from("w")),
            kind: Some(String::from("a")),
            ..DeliveryFilter::default()
        },
        DeliveryFilter {
            state: Some(State::Delivered),
            webhook: Some(String::from("w")),
            ..DeliveryFilter::default()
        },
        DeliveryFilter { state: Some(State::Waiting), ..DeliveryFilter::default() },
        DeliveryFilter { event: Some(of_event.clone()), ..DeliveryFilter::default() },
        DeliveryFilter {
            since: Some(START),
            until: Some(START.plus_ms(1)),
            piece: Some(String::from("abc")),
            labels: BTreeMap::from([(String::from("k"), String::from("v"))]),
            object: ObjectFilter::parse("t/n"),
            status: StatusFilter::parse("5xx"),
            attempts_min: Some(1),
            ..DeliveryFilter::default()
        },
    ] {
        ledger.list_deliveries(&filter, 50, None)?;
        ledger.count_deliveries(&filter)?;
        let (since, until) = (START.plus_ms(-1), START.plus_ms(1));
        let filter = DeliveryFilter { since: Some(since), until: Some(until), ..filter };
        ledger.delivery_histogram(&HistogramQuery { since, until, filter })?;
    }
    ledger.totals(&TotalsQuery { since: START, until: START.plus_ms(1) })?;
    ledger.deliveries_of_event(&of_event, &PageQuery::default())?;
    for piece in [None, Some(String::from("abc"))] {
        let filter = EventFilter { kind: Some(String::from("a")), piece, ..EventFilter::default() };
        ledger.list_events(&filter, 50, None)?;
    }
    ledger.list_webhooks(&WebhookFilter::default(), 50, None)?;
    ledger.update_webhook("w", Definition { enabled: false, ..webhook("w", "*") }, None, START)?;
    ledger.lease_due(START.plus_ms(5_000_000), 10)?;
    ledger.update_webhook("w", webhook("w", "*"), None, START)?;
    ledger.definition(hook, 1)?;
    use_gates(ledger)?;
    for entry in ledger.outbox_due(START, 10)? {
        ledger.outbox_failed(entry.item, entry.version, START)?;
        ledger.outbox_done(entry.item, entry.version)?;
    }
    let token = ledger.create_token(
        "hash",
        TokenDraft { name: String::from("t"), role: Role::Read, expires_at: None },
        START,
    )?;
    let verified = ledger.verify_token("hash", START);
    ledger.create_live_ticket("ticket", verified.as_ref(), START)?;
    ledger.take_live_ticket("ticket", START)?;
    ledger.delete_token(&token.id, START)?;
    ledger.answered_before("k", "d", START)?;
    ledger.keep_answer("k", "d", "{}", START)?;
    let stored = ledger.webhooks_after(postern_core::id::Seq::ZERO, 10)?;
    for webhook in &stored {
        ledger.replace_sealed_text(webhook, &webhook.definition, START)?;
    }
    ledger.note_sealed_under("k1")?;
    ledger.list_audit(
        &AuditFilter { subject: Some(SubjectKind::Webhook), name: Some(String::from("w")) },
        50,
        None,
    )?;
    let test = ledger.reserve(START);
    let draft = TestDraft {
        retry: false,
        webhook: None,
        webhook_name: None,
        definition: webhook("t", "*"),
        kind: String::from("a"),
        data: json("1"),
        object: None,
        variation: None,
    };
    let (view, _work) = ledger.create_test(test, draft, START)?;
    ledger.due_tests(START.plus_ms(100_000))?;
    ledger.report_test(test, 1, report(1, 200), START)?;
    ledger.test(&view.id)?;
    let inbox = ledger.create_inbox("i", "key", "", START)?;
    let change = InboxChange { name: Some(String::from("other")), answer: None };
    ledger.update_inbox(&inbox.id, change, "", START)?;
    let address = ledger.inbox_at("key")?.ok_or(LedgerError::NotFound { what: "inbox" })?;
    let request = InboxRequestView {
        id: String::new(),
        method: String::from("GET"),
        path: String::new(),
        headers: Vec::new(),
        body: String::new(),
        body_is_base64: false,
        body_text: None,
        body_bytes: 0,
        truncated: false,
        received_at: Timestamp(0),
        signature: SignatureVerdict::Unsigned,
        answered: 200,
    };
    ledger.record_request(address.seq, request, START)?;
    ledger.list_requests(&inbox.id, 10, None)?;
    ledger.list_inboxes(10, None, "")?;
    ledger.clear_requests(&inbox.id)?;
    ledger.delete_inbox(&inbox.id, START)?;
    ledger.detail()?;
    ledger.next_wake(START)?;
    ledger.delete_webhook("w", None, START)?;
    Ok(())
}

/// Everything that holds deliveries, and what tells of it.
fn use_gates(ledger: &mut Ledger<Rc<Recording>>) -> Result<(), LedgerError> {
    let limit = postern_core::webhook::RateLimit { calls: 2, per_s: 10 };
    let ruled = Definition {
        ordered: true,
        rate_limit: Some(limit),
        concurrency_limit: Some(2),
        ..webhook("ruled", "ruled.*")
    };
    let seq = ledger.reserve(START);
    ledger.create_webhook(seq, ruled.clone(), START)?;
    let hears = ledger.reserve(START);
    ledger.create_webhook(hears, webhook("hears", "postern.*"), START)?;
    let events = (0..4).map(|_number| in_order("ruled.a", "k")).collect();
    let deliveries = ledger.ingest(events, InlineLimit(6), START)?.changed;
    let tickets = ledger.lease_due(START, 10)?.tickets;
    ledger.pause_webhook("ruled", None, START)?;
    ledger.claim(&tickets, START)?;
    ledger.resume_webhook("ruled", None, START)?;
    let tickets = ledger.lease_due(START, 10)?.tickets;
    for work in ledger.claim(&tickets, START)?.works {
        ledger.report(
            vec![Report {
                delivery: work.delivery,
                attempt: attempt(1, Outcome::Answered { status: 429 }, START),
            }],
            START,
        )?;
    }
    let id = ledger.ids().id(Kind::Delivery, deliveries[0]);
    ledger.cancel(&id, START)?;
    ledger.webhook("ruled")?;
    ledger.delivery(&id)?;
    ledger.update_webhook("ruled", Definition { ordered: false, ..ruled.clone() }, None, START)?;
    ledger.next_wake(START)?;
    ledger.lease_due(START.plus_ms(2_000), 10)?;
    ledger.update_webhook("ruled", Definition { enabled: false, ..ruled.clone() }, None, START)?;
    ledger.update_webhook("ruled", Definition { rate_limit: None, ..ruled.clone() }, None, START)?;
    ledger.update_webhook("ruled", ruled, None, START)?;
    Ok(())
}

/// What a project looks up when it is opened.
fn use_after_a_restart(sql: &Rc<Recording>) -> Result<(), LedgerError> {
    let mut ledger = Ledger::open(Rc::clone(sql))?.ok_or(LedgerError::NotFound { what: "project" })?;
    ledger.ingest(vec![in_order("ruled.b", "other")], InlineLimit(0), START)?;
    ledger.lease_due(START, 10)?;
    Ok(())
}

#[test]
fn no_statement_walks_through_a_table_that_grows() {
    let store = Native::new();
    let sql = Rc::new(Recording { store: Rc::clone(&store), statements: RefCell::default() });
    let mut ledger = Ledger::create(Rc::clone(&sql), &project(), 7, START).unwrap();
    ledger.set_quotas(Quotas::default());
    // Migrations walk through what they change, once.
    sql.statements.borrow_mut().clear();
    use_everything(&mut ledger).unwrap();
    use_after_a_restart(&sql).unwrap();

    let statements = sql.statements.borrow().clone();
    assert!(statements.len() > 70, "{} statements were seen", statements.len());
    let mut walks = Vec::new();
    for (statement, parameters) in
        statements.iter().filter(|(statement, _parameters)| !statement.starts_with("CREATE"))
    {
        for step in steps(&store, statement, *parameters) {
            let Some(table) = step.strip_prefix("SCAN ").and_then(|rest| rest.split(' ').next()) else {
                continue;
            };
            // A partial index holds what is open only; those walks end at a limit.
            let is_bounded = [
                "delivery_due",
                "delivery_parked",
                "delivery_replayed",
                "delivery_order",
                "run_lease",
                "run_callback_due",
            ]
            .iter()
            .any(|index| step.contains(index));
            let is_virtual = ["json_each", "j", "d", "k", "label", "CONSTANT"].contains(&table)
                || table.starts_with("(subquery")
                || statement.contains(&format!(") AS {table}"));
            if !is_bounded && !is_virtual && !SMALL_TABLES.contains(&table) {
                walks.push(format!("{step}: {statement}"));
            }
        }
    }
    assert!(walks.is_empty(), "{walks:#?}");
}

/// The steps in which SQLite would run a statement.
fn steps(store: &Native, statement: &str, parameters: usize) -> Vec<String> {
    let rows = store
        .run(&format!("EXPLAIN QUERY PLAN {statement}"), &vec![Value::Null; parameters])
        .expect("a plan");
    rows.iter().map(|row| String::from(row.text(3).expect("a step in words"))).collect()
}

/// The plan of the first statement that contains `part`.
fn plan_of(store: &Native, statements: &BTreeMap<String, usize>, part: &str) -> String {
    let found = statements.iter().find(|(statement, _parameters)| statement.contains(part));
    let (statement, parameters) = found.unwrap_or_else(|| panic!("no statement contains {part}"));
    steps(store, statement, *parameters).join("; ")
}

#[test]
fn lists_and_due_queries_use_the_index_made_for_them() {
    let store = Native::new();
    let sql = Rc::new(Recording { store: Rc::clone(&store), statements: RefCell::default() });
    let mut ledger = Ledger::create(Rc::clone(&sql), &project(), 7, START).unwrap();
    ledger.set_quotas(Quotas::default());
    // Migrations walk through what they change, once.
    sql.statements.borrow_mut().clear();
    use_everything(&mut ledger).unwrap();
    use_after_a_restart(&sql).unwrap();
    let statements = sql.statements.borrow().clone();
    for (part, expected) in [
        (
            "next_at_ms <= ?1 ORDER BY next_at_ms LIMIT ?2",
            "SEARCH delivery USING INDEX delivery_due (next_at_ms<?)",
        ),
        ("'leased' FROM delivery WHERE next_at_ms IS NOT NULL", "USING INDEX delivery_due"),
        (
            "AND d.webhook = ?1 AND d.state = ?4 ORDER BY d.seq DESC LIMIT ?5",
            "SEARCH d USING INDEX delivery_webhook (webhook=? AND seq>? AND seq<?)",
        ),
        (
            "e.seq = d.event WHERE d.seq < ?1 AND d.seq > ?2 ORDER BY d.seq DESC LIMIT ?3",
            "SEARCH d USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)",
        ),
        (
            "FROM event WHERE seq < ?1 AND seq > ?2 ORDER BY seq DESC LIMIT 1 OFFSET 19999",
            "SEARCH event USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)",
        ),
        (
            "UNION SELECT seq FROM delivery INDEXED BY delivery_late",
            "SEARCH delivery USING COVERING INDEX delivery_late (event=?)",
        ),
        (
            "UNION SELECT seq FROM delivery INDEXED BY delivery_late",
            "SEARCH delivery USING INTEGER PRIMARY KEY (rowid>?)",
        ),
        (
            "ORDER BY d.seq DESC LIMIT 1 OFFSET 19999",
            "SEARCH d USING COVERING INDEX delivery_unsent (state=? AND seq>? AND seq<?)",
        ),
        (
            "UNION SELECT seq FROM delivery INDEXED BY delivery_parked",
            "SEARCH delivery USING COVERING INDEX delivery_due (next_at_ms>?)",
        ),
        (
            "UNION SELECT seq FROM delivery INDEXED BY delivery_parked",
            "SCAN delivery USING COVERING INDEX delivery_parked",
        ),
        ("SELECT max(seq) FROM delivery)", "SEARCH delivery USING INTEGER PRIMARY KEY (rowid=?)"),
        (
            "WHERE webhook = ?1 AND parked = 1 ORDER BY seq LIMIT ?2",
            "SEARCH delivery USING INDEX delivery_parked (webhook=?)",
        ),
        (
            "WHERE parked = 1 AND webhook > ?1",
            "SEARCH delivery USING COVERING INDEX delivery_parked (webhook>?)",
        ),
        (
            "WHERE webhook = ?1 AND parked = 3 ORDER BY seq LIMIT ?2",
            "SEARCH delivery USING INDEX delivery_replayed (webhook=?)",
        ),
        (
            "WHERE parked = 3 AND webhook > ?1",
            "SEARCH delivery USING COVERING INDEX delivery_replayed (webhook>?)",
        ),
        (
            "INDEXED BY delivery_replayed WHERE parked = 3",
            "SCAN delivery USING COVERING INDEX delivery_replayed",
        ),
        (
            "AND order_key = ?2 ORDER BY seq LIMIT 1",
            "SEARCH delivery USING COVERING INDEX delivery_order (webhook=? AND order_key=?)",
        ),
        (
            "CASE parked WHEN ?2 THEN ?3 + (resend & ?4) ELSE parked END",
            "SEARCH delivery USING INDEX delivery_order (webhook=? AND order_key>?)",
        ),
        (
            "WHERE seq > ?1 AND state = 'leased' AND next_at_ms IS NULL",
            "SEARCH delivery USING INTEGER PRIMARY KEY (rowid>?)",
        ),
        ("CROSS JOIN stat AS s", "SEARCH s USING PRIMARY KEY (hour=? AND webhook=? AND type=?)"),
        ("INSERT INTO rate_window", "SCAN json_each VIRTUAL TABLE"),
        ("FROM rate_window WHERE", "SEARCH rate_window USING INTEGER PRIMARY KEY (rowid=?)"),
        ("SELECT webhook, begun FROM rate_window", "SCAN rate_window"),
        ("idempotency_key IN", "SEARCH event USING INDEX event_idempotency_key (idempotency_key=?)"),
        ("j CROSS JOIN delivery", "SEARCH delivery USING INTEGER PRIMARY KEY (rowid=?)"),
        (
            "attempt = j.value ->> 2, offers = j.value ->> 3",
            "SEARCH delivery USING INTEGER PRIMARY KEY (rowid=?)",
        ),
    ] {
        let plan = plan_of(&store, &statements, part);
        assert!(plan.contains(expected), "{part}: {plan}");
    }
}

#[test]
fn a_page_of_a_list_reads_no_more_rows_than_it_shows() {
    let store = Native::new();
    let sql = Rc::new(Recording { store: Rc::clone(&store), statements: RefCell::default() });
    let ledger = Ledger::create(Rc::clone(&sql), &project(), 7, START).unwrap();
    let plans = |list: &dyn Fn()| {
        sql.statements.borrow_mut().clear();
        list();
        let statements = sql.statements.borrow().clone();
        statements
            .iter()
            .flat_map(|(statement, parameters)| steps(&store, statement, *parameters))
            .collect::<Vec<_>>()
    };
    let of_state = |state| DeliveryFilter { state, ..DeliveryFilter::default() };
    let failed = DeliveryFilter { status: StatusFilter::parse("5xx"), ..DeliveryFilter::default() };
    for filter in [of_state(None), of_state(Some(State::Dead)), of_state(Some(State::Delivered)), failed] {
        let steps = plans(&|| drop(ledger.list_deliveries(&filter, 50, None).unwrap()));
        // What stands in order ends with the page.
        assert!(steps.iter().all(|step| !step.contains("TEMP B-TREE FOR ORDER BY")), "{filter:?}: {steps:?}");
    }
    for kind in [None, Some(String::from("a"))] {
        let filter = EventFilter { kind, ..EventFilter::default() };
        let steps = plans(&|| drop(ledger.list_events(&filter, 50, None).unwrap()));
        assert!(steps.iter().all(|step| !step.contains("TEMP B-TREE FOR ORDER BY")), "{filter:?}: {steps:?}");
    }
}

/// Uses each operation of replays, retention, counts, exports, settings and dry runs at least once.
fn use_the_engine(ledger: &mut Ledger<Rc<Recording>>) -> Result<(), LedgerError> {
    let hook = ledger.reserve(START);
    ledger.create_webhook(hook, webhook("w", "*"), START)?;
    ledger.ingest(vec![keyed("a", "k1"), keyed("b", "k2")], InlineLimit(0), START)?;
    let tickets = ledger.lease_due(START, 10)?.tickets;
    let works = ledger.claim(&tickets, START)?.works;
    let report = |status| attempt(1, Outcome::Answered { status }, START);
    ledger.report(
        works.iter().map(|work| Report { delivery: work.delivery, attempt: report(200) }).collect(),
        START,
    )?;
    let states = vec![State::Delivered];
    let again =
        ReplayQuery { webhook: None, since: None, until: None, states, types: Vec::new(), missing: false };
    let of_webhook = ReplayQuery { webhook: Some(String::from("w")), ..again.clone() };
    let missing = ReplayQuery { missing: true, ..of_webhook.clone() };
    for query in [again, of_webhook, missing] {
        ledger.count_replay(query.clone(), START)?;
        let id = ledger.create_replay(query.clone(), START)?.id;
        ledger.replay_step(START, 500)?;
        ledger.replay(&id)?;
        let id = ledger.create_replay(query, START)?.id;
        ledger.cancel_replay(&id, START)?;
    }
    ledger.list_replays(10, None)?;
    for webhook in [None, Some(String::from("w"))] {
        let filter = ExportFilter {
            webhook: webhook.clone(),
            kind: Some(String::from("a")),
            since: Some(START),
            ..ExportFilter::default()
        };
        ledger.export_deliveries(&ExportFilter { kind: None, ..filter.clone() }, None)?;
        ledger.export_deliveries(&filter, None)?;
        ledger.export_events(&ExportFilter { until: Some(START), ..ExportFilter::default() }, None)?;
        ledger.metrics(START)?;
        let bucket = BucketWidth::Hour;
        ledger.stats(&StatsQuery {
            webhook,
            kind: None,
            since: START.plus_ms(-86_400_000),
            until: START,
            bucket,
        })?;
    }
    ledger.dry_run(event("a"), None, START)?;
    ledger.update_settings(SettingsPatch { retention_days: Some(1), ..SettingsPatch::default() }, START)?;
    let later = START.plus_ms(500 * 86_400_000);
    let full = Quotas::NONE.with(Quota::StoredBytes, 10_000);
    ledger.set_quotas(full);
    ledger.watch_fullness(later)?;
    while ledger.retention_step(later)? {}
    ledger.watch_fullness(later)?;
    ledger.set_quotas(Quotas::NONE);
    ledger.upkeep_at(later)?;
    while ledger.retention_step(later)? {}
    Ok(())
}

/// Every statement that [`use_the_engine`] runs.
fn engine_statements() -> (Rc<Native>, BTreeMap<String, usize>) {
    let store = Native::new();
    let sql = Rc::new(Recording { store: Rc::clone(&store), statements: RefCell::default() });
    let mut ledger = Ledger::create(Rc::clone(&sql), &project(), 7, START).expect("a project");
    use_the_engine(&mut ledger).expect("everything works");
    let statements = sql.statements.borrow().clone();
    (store, statements)
}

#[test]
fn replays_retention_counts_and_exports_read_ranges_of_keys() {
    let (store, statements) = engine_statements();
    for (part, expected) in [
        // Replays.
        (
            "FROM delivery WHERE seq > ?1 AND seq < ?2 AND ?3 IS NULL ORDER BY seq LIMIT ?4",
            "INTEGER PRIMARY KEY (rowid>? AND rowid<?)",
        ),
        (
            "FROM delivery WHERE seq > ?1 AND seq < ?2 AND webhook = ?3 ORDER BY seq LIMIT ?4",
            "delivery_webhook (webhook=? AND seq>? AND seq<?)",
        ),
        (
            "SELECT 1 FROM delivery WHERE seq > ?1 AND seq < ?2 AND webhook = ?3 LIMIT ?4",
            "delivery_webhook (webhook=? AND seq>? AND seq<?)",
        ),
        (
            "FROM event AS e WHERE e.seq > ?1 AND e.seq < ?2 ORDER BY e.seq LIMIT ?3",
            "SEARCH e USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)",
        ),
        (
            "d.webhook = ?4 AND d.seq > e.seq",
            "SEARCH d USING INDEX delivery_webhook (webhook=? AND seq>? AND seq<?)",
        ),
        (
            "l.event = e.seq AND l.webhook = ?4",
            "SEARCH l USING COVERING INDEX delivery_late (event=? AND webhook=?)",
        ),
        // Retention.
        (
            "SELECT seq, state, updated_at_ms FROM delivery WHERE seq > ?1 AND seq < ?2 ORDER BY seq",
            "SEARCH delivery USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)",
        ),
        (
            "d.seq <= e.seq + e.deliveries AND d.event = e.seq)\n                        OR",
            "SEARCH d USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)",
        ),
        (
            "l.late = 1 AND l.event = e.seq)\n                     FROM",
            "SEARCH l USING COVERING INDEX delivery_late (event=?)",
        ),
        // Ageing.
        ("attempts = j.value ->> 1 FROM json_each", "SEARCH delivery USING INTEGER PRIMARY KEY (rowid=?)"),
        ("SET seq = -seq WHERE seq < 0", "SEARCH delivery USING INTEGER PRIMARY KEY (rowid<?)"),
        (
            "NOT EXISTS (SELECT 1 FROM delivery AS d",
            "SEARCH d USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)",
        ),
        ("NOT EXISTS (SELECT 1 FROM delivery AS l", "SEARCH l USING COVERING INDEX delivery_late (event=?)"),
        ("FROM stat WHERE hour < ?1 LIMIT ?2", "SEARCH stat USING PRIMARY KEY (hour<?)"),
        (
            "next_at_ms IS NULL FROM test WHERE seq > ?1",
            "SEARCH test USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)",
        ),
        (
            "ended_at_ms IS NOT NULL FROM replay WHERE seq > ?1",
            "SEARCH replay USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)",
        ),
        ("(SELECT min(hour) FROM stat)", "SEARCH stat USING PRIMARY KEY"),
        // Counts.
        (
            "json_each(?1) AS j CROSS JOIN stat AS s",
            "SEARCH s USING PRIMARY KEY (hour=? AND webhook=? AND type=?)",
        ),
        ("(s.hour, s.webhook, s.type) > (?1, ?2, ?3)", "SEARCH s USING PRIMARY KEY ("),
        // The ends of a time.
        ("accepted_at_ms FROM event WHERE seq >= ?1", "SEARCH event USING INTEGER PRIMARY KEY (rowid>?)"),
        ("WHERE d.seq >= ?1 ORDER BY d.seq LIMIT 1", "SEARCH d USING INTEGER PRIMARY KEY (rowid>?)"),
        ("WITH RECURSIVE hours", "SEARCH s USING PRIMARY KEY (hour=? AND webhook=?)"),
        // Exports.
        (
            "FROM (SELECT seq, type FROM event WHERE seq > ?1 AND seq < ?2",
            "SEARCH event USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)",
        ),
        (
            "SELECT d.seq FROM (SELECT seq, event, state FROM delivery WHERE seq > ?1 AND seq < ?2 AND webhook",
            "delivery_webhook (webhook=? AND seq>? AND seq<?)",
        ),
        (
            "SELECT d.seq FROM (SELECT seq, event, state FROM delivery WHERE seq > ?1 AND seq < ?2 AND ?3",
            "INTEGER PRIMARY KEY (rowid>? AND rowid<?)",
        ),
    ] {
        let plan = plan_of(&store, &statements, part);
        assert!(plan.contains(expected), "{part}: {plan}");
    }
}

#[test]
fn no_statement_of_the_engine_walks_through_a_table_that_grows() {
    let (store, statements) = engine_statements();
    // Migrations run once, and can't be explained once they have run.
    let is_migration = |statement: &str| {
        ["CREATE", "ALTER", "DROP"].iter().any(|word| statement.starts_with(word))
            || statement.contains("delivery_1")
    };
    for (statement, parameters) in
        statements.iter().filter(|(statement, _parameters)| !is_migration(statement))
    {
        for step in steps(&store, statement, *parameters) {
            let Some(table) = step.strip_prefix("SCAN ").and_then(|rest| rest.split(' ').next()) else {
                continue;
            };
            assert!(
                !["delivery", "event", "stat", "e", "s", "l"].contains(&table)
                    || step.contains("INDEX delivery_"),
                "{step}: {statement}"
            );
        }
    }
}

/// Uses each operation of runs at least once.
fn use_the_runs(ledger: &mut Ledger<Rc<Recording>>) -> Result<(), LedgerError> {
    let target = || Target { url: String::from("https://r.example/"), authorization: None };
    let entry =
        Entry { origin: String::from("https://h"), path: String::from("/p"), endpoint: String::from("runs") };
    let webhooks =
        Some(Webhooks { finished: target(), update: Some(target()), user: None, forgotten: false });
    let draft = RunDraft {
        chain: json("{}"),
        webhooks,
        labels: BTreeMap::new(),
        mode: RunMode::Work,
        entry,
        refusal: None,
    };
    let answer = || CallbackAttempt {
        number: 0,
        started_at: START,
        duration_ms: 1,
        outcome: Outcome::Answered { status: 200 },
        answer: String::new(),
        retry_after_s: None,
        body_note: None,
        request_id: None,
    };
    let seq = ledger.reserve(START);
    let mut turn = ledger.create_run(seq, &draft, START)?;
    while let Some(call) = turn.calls.pop() {
        let reported = ledger.report_run_call(
            call.run,
            call.kind,
            call.number,
            CallRecord::new(answer(), None),
            START,
        )?;
        turn = reported.ok_or(LedgerError::NotFound { what: "call" })?;
    }
    let id = turn.run.id;
    ledger.claim_run(60, START)?;
    let update = RunUpdate { message: Some(String::from("m")), log: vec![json("1")], ..RunUpdate::default() };
    ledger.update_run(&id, update.clone(), START)?;
    ledger.due_runs(START.plus_ms(100_000))?;
    ledger.claim_run(60, START.plus_ms(100_000))?;
    ledger.update_run(&id, update, START.plus_ms(100_000))?;
    let end = RunEnd {
        claim: None,
        outcome: RunState::Finished,
        message: None,
        results: Some(json("1")),
        log: vec![json("2")],
    };
    ledger.finish_run(&id, end, START.plus_ms(100_000))?;
    ledger.due_runs(START.plus_ms(1_000_000))?;
    ledger.run(&id)?;
    ledger.run_status(&id)?;
    ledger.run_statuses(10)?;
    ledger.list_runs(None, 10, None)?;
    ledger.list_runs(Some(RunState::Running), 10, None)?;
    let seq = ledger.reserve(START);
    let id = ledger.create_run(seq, &draft, START)?.run.id;
    ledger.terminate_run(&id, START)?;
    let seq = ledger.reserve(START);
    let id = ledger.create_run(seq, &RunDraft { webhooks: None, ..draft }, START)?.run.id;
    ledger.terminate_run(&id, START)?;
    ledger.next_wake(START)?;
    let later = START.plus_ms(500 * 86_400_000);
    while ledger.retention_step(later)? {}
    Ok(())
}

#[test]
fn runs_are_found_by_what_is_due_and_by_their_keys() {
    let store = Native::new();
    let sql = Rc::new(Recording { store: Rc::clone(&store), statements: RefCell::default() });
    let mut ledger = Ledger::create(Rc::clone(&sql), &project(), 7, START).unwrap();
    ledger.set_quotas(Quotas::default());
    sql.statements.borrow_mut().clear();
    use_the_runs(&mut ledger).unwrap();
    let statements = sql.statements.borrow().clone();
    for (part, expected) in [
        ("FROM run WHERE phase = 1 ORDER BY seq LIMIT 1", "run USING INDEX run_offered"),
        ("FROM run WHERE lease_until_ms <= ?1", "SEARCH run USING INDEX run_lease (lease_until_ms<?)"),
        ("min(lease_until_ms) FROM run", "run USING COVERING INDEX run_lease"),
        (
            "CROSS JOIN run ON run.state = j.value LIMIT ?2",
            "SEARCH run USING COVERING INDEX run_state (state=?)",
        ),
        ("state = ?3 ORDER BY seq DESC LIMIT ?2", "SEARCH run USING INDEX run_state (state=? AND seq<?)"),
        ("?3 IS NULL ORDER BY seq DESC LIMIT ?2", "SEARCH run USING INTEGER PRIMARY KEY (rowid<?)"),
        (
            "FROM run_callback WHERE run = ?1 AND kind = ?2",
            "SEARCH run_callback USING INDEX sqlite_autoindex_run_callback_1 (run=? AND kind=?)",
        ),
        ("WHERE run = ?1 AND state = 'waiting' AND next_at_ms <= ?2", "SEARCH run_callback USING"),
        (
            "next_at_ms <= ?1 AND state = 'waiting'",
            "SEARCH run_callback USING INDEX run_callback_due (next_at_ms<?)",
        ),
        (
            "next_at_ms <= ?1 AND state = 'leased'",
            "SEARCH run_callback USING INDEX run_callback_due (next_at_ms<?)",
        ),
        (
            "DELETE FROM run_callback WHERE run IN",
            "SEARCH run_callback USING COVERING INDEX sqlite_autoindex_run_callback_1 (run=?)",
        ),
        ("ended_at_ms < ?4", "SEARCH run USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"),
        ("ended_at_ms < ?4", "SEARCH c USING INDEX sqlite_autoindex_run_callback_1 (run=?)"),
    ] {
        let plan = plan_of(&store, &statements, part);
        assert!(plan.contains(expected), "{part}: {plan}");
    }
    for (statement, parameters) in &statements {
        for step in steps(&store, statement, *parameters) {
            let walks = ["SCAN run ", "SCAN run_callback ", "SCAN c "]
                .iter()
                .any(|walk| format!("{step} ").starts_with(walk));
            // These hold what is open only, and the list of statuses ends at its limit.
            let is_bounded =
                ["run_offered", "run_lease", "run_callback_due"].iter().any(|index| step.contains(index));
            assert!(
                !walks || is_bounded || statement.ends_with("ORDER BY seq DESC LIMIT ?1"),
                "{step}: {statement}"
            );
        }
    }
}
