//! No operation walks through a table that grows: every statement that the ledger runs is explained by SQLite.

#[path = "support/mod.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod support;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use postern_core::api::inbox::{InboxRequestView, SignatureVerdict};
use postern_core::delivery::{Outcome, State};
use postern_core::id::Kind;
use postern_core::time::Timestamp;
use postern_ledger::{
    DeliveryFilter, InboxChange, InlineLimit, Ledger, LedgerError, Report, Row, Sql, SqlError, TestDraft, Value, WebhookFilter,
};

use crate::support::build::{START, attempt, json, keyed, project, webhook};
use crate::support::native::Native;

/// Tables whose rows are limited or few: walking through them is fine.
const SMALL_TABLES: [&str; 8] = ["meta", "token", "webhook", "event_type", "inbox", "outbox", "sqlite_master", "test"];

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
    for filter in [
        DeliveryFilter::default(),
        DeliveryFilter { state: Some(State::Dead), webhook: Some(String::from("w")), kind: Some(String::from("a")) },
    ] {
        ledger.list_deliveries(&filter, 50, None)?;
    }
    ledger.list_events(Some("a"), 50, None)?;
    ledger.list_webhooks(&WebhookFilter::default(), 50, None)?;
    ledger.update_webhook("w", postern_core::webhook::Definition { enabled: false, ..webhook("w", "*") }, None, START)?;
    ledger.lease_due(START.plus_ms(5_000_000), 10)?;
    ledger.update_webhook("w", webhook("w", "*"), None, START)?;
    ledger.definition(hook, 1)?;
    for entry in ledger.outbox_due(START, 10)? {
        ledger.outbox_failed(entry.item, entry.version, START)?;
        ledger.outbox_done(entry.item, entry.version)?;
    }
    let token = ledger.create_token("hash", "t", postern_core::token::Role::Read, START)?;
    ledger.delete_token(&token.id)?;
    let test = ledger.reserve(START);
    let draft = TestDraft {
        webhook: None,
        webhook_name: None,
        definition: webhook("t", "*"),
        kind: String::from("a"),
        data: json("1"),
        object: None,
    };
    let (view, _work) = ledger.create_test(test, draft, START)?;
    ledger.due_tests(START.plus_ms(100_000))?;
    ledger.report_test(test, 1, report(1, 200), START)?;
    ledger.test(&view.id)?;
    let inbox = ledger.create_inbox("i", "key", "", START)?;
    ledger.update_inbox(&inbox.id, InboxChange::default(), "")?;
    let address = ledger.inbox_at("key")?.ok_or(LedgerError::NotFound { what: "inbox" })?;
    let request = InboxRequestView {
        id: String::new(),
        method: String::from("GET"),
        path: String::new(),
        headers: Vec::new(),
        body: String::new(),
        body_is_base64: false,
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
    ledger.delete_inbox(&inbox.id)?;
    ledger.detail()?;
    ledger.next_wake(START)?;
    ledger.delete_webhook("w", None, START)?;
    Ok(())
}

#[test]
fn no_statement_walks_through_a_table_that_grows() {
    let store = Native::new();
    let sql = Rc::new(Recording { store: Rc::clone(&store), statements: RefCell::default() });
    let mut ledger = Ledger::create(Rc::clone(&sql), &project(), 7, START).unwrap();
    use_everything(&mut ledger).unwrap();
    assert!(Ledger::open(Rc::clone(&sql)).unwrap().is_some());

    let statements = sql.statements.borrow().clone();
    assert!(statements.len() > 70, "{} statements were seen", statements.len());
    let mut walks = Vec::new();
    for (statement, parameters) in statements.iter().filter(|(statement, _parameters)| !statement.starts_with("CREATE")) {
        for step in steps(&store, statement, *parameters) {
            let Some(table) = step.strip_prefix("SCAN ").and_then(|rest| rest.split(' ').next()) else { continue };
            // A partial index holds what is open only; those walks end at a limit.
            let is_bounded = step.contains("delivery_due") || step.contains("delivery_parked");
            let is_virtual = ["json_each", "j", "d", "CONSTANT"].contains(&table) || table.starts_with("(subquery");
            if !is_bounded && !is_virtual && !SMALL_TABLES.contains(&table) {
                walks.push(format!("{step}: {statement}"));
            }
        }
    }
    assert!(walks.is_empty(), "{walks:#?}");
}

/// The steps in which SQLite would run a statement.
fn steps(store: &Native, statement: &str, parameters: usize) -> Vec<String> {
    let rows = store.run(&format!("EXPLAIN QUERY PLAN {statement}"), &vec![Value::Null; parameters]).expect("a plan");
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
    use_everything(&mut ledger).unwrap();
    let statements = sql.statements.borrow().clone();
    for (part, expected) in [
        ("next_at_ms <= ?1 ORDER BY next_at_ms LIMIT ?2", "SEARCH delivery USING INDEX delivery_due (next_at_ms<?)"),
        ("'leased' FROM delivery WHERE next_at_ms IS NOT NULL", "USING INDEX delivery_due"),
        ("seq < ?1 AND webhook = ?2 ORDER BY seq DESC LIMIT ?3", "SEARCH delivery USING INDEX delivery_webhook (webhook=? AND seq<?)"),
        ("seq < ?1 AND ?2 IS NULL ORDER BY seq DESC LIMIT ?3", "SEARCH delivery USING INTEGER PRIMARY KEY (rowid<?)"),
        ("FROM event WHERE seq < ?1 ORDER BY seq DESC LIMIT ?2", "SEARCH event USING INTEGER PRIMARY KEY (rowid<?)"),
        ("parked = 0, next_at_ms = ?2 WHERE webhook = ?1 AND parked = 1", "delivery_parked (webhook=?)"),
        ("idempotency_key IN", "SEARCH event USING INDEX event_idempotency_key (idempotency_key=?)"),
        ("j CROSS JOIN delivery", "SEARCH delivery USING INTEGER PRIMARY KEY (rowid=?)"),
        ("state = 'leased', attempt = j.value", "SEARCH delivery USING INTEGER PRIMARY KEY (rowid=?)"),
    ] {
        let plan = plan_of(&store, &statements, part);
        assert!(plan.contains(expected), "{part}: {plan}");
    }
}
