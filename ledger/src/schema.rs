//! Tables and their migrations.
//!
//! Written rows are what a Durable Object charges for, and each index entry is one (docs/platform.md 2.3,
//! 2.6), so there are few indexes: work that is due, deliveries of one webhook, names and keys that must be
//! unique. Columns that may be large come last in their tables, so that lists read past them without touching
//! their overflow pages.

use crate::error::LedgerError;
use crate::row::meta;
use crate::sql::{Sql, Value, first};

/// Migration `n` (from 1) is `MIGRATIONS[n - 1]`; each is a list of single statements. Released ones never
/// change.
pub(crate) const MIGRATIONS: &[&[&str]] = &[
    &[
        // One row. The salt is text: it has 62 bits, a JavaScript number 53.
        "CREATE TABLE meta (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        schema INTEGER NOT NULL,
        project TEXT NOT NULL,
        salt TEXT NOT NULL,
        created_at_ms INTEGER NOT NULL
    )",
        "CREATE TABLE token (
        seq INTEGER PRIMARY KEY,
        hash TEXT NOT NULL,
        name TEXT NOT NULL,
        role TEXT NOT NULL,
        created_at_ms INTEGER NOT NULL
    )",
        "CREATE TABLE webhook (
        seq INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        version INTEGER NOT NULL,
        disabled_reason TEXT,
        created_at_ms INTEGER NOT NULL,
        updated_at_ms INTEGER NOT NULL,
        definition TEXT NOT NULL
    )",
        "CREATE TABLE event_type (
        name TEXT PRIMARY KEY,
        created_at_ms INTEGER NOT NULL,
        description TEXT NOT NULL,
        example TEXT
    ) WITHOUT ROWID",
        "CREATE TABLE event (
        seq INTEGER PRIMARY KEY,
        type TEXT NOT NULL,
        object TEXT,
        idempotency_key TEXT,
        accepted_at_ms INTEGER NOT NULL,
        deliveries INTEGER NOT NULL,
        data TEXT NOT NULL
    )",
        "CREATE UNIQUE INDEX event_idempotency_key ON event (idempotency_key) WHERE idempotency_key IS NOT NULL",
        // attempt: the highest number handed out; made: how many are recorded, attempt or attempt - 1;
        // scheduled: those that count for the schedule; offers: how often the current number was offered to a
        // dispatcher; claimed: a dispatcher took it, so the call may have been made; next_at_ms: due
        // (pending, waiting) or end of the lease (leased), null where nothing is planned; parked: open, but
        // its webhook is disabled; attempts: one JSON object a line, oldest first.
        "CREATE TABLE delivery (
        seq INTEGER PRIMARY KEY,
        event INTEGER NOT NULL,
        webhook INTEGER NOT NULL,
        state TEXT NOT NULL,
        attempt INTEGER NOT NULL DEFAULT 0,
        made INTEGER NOT NULL DEFAULT 0,
        scheduled INTEGER NOT NULL DEFAULT 0,
        offers INTEGER NOT NULL DEFAULT 0,
        claimed INTEGER NOT NULL DEFAULT 0,
        resend INTEGER NOT NULL DEFAULT 0,
        parked INTEGER NOT NULL DEFAULT 0,
        next_at_ms INTEGER,
        updated_at_ms INTEGER NOT NULL,
        last_status INTEGER,
        last_duration_ms INTEGER,
        last_result TEXT,
        attempts TEXT NOT NULL DEFAULT ''
    )",
        "CREATE INDEX delivery_due ON delivery (next_at_ms) WHERE next_at_ms IS NOT NULL",
        "CREATE INDEX delivery_parked ON delivery (webhook) WHERE parked = 1",
        "CREATE INDEX delivery_webhook ON delivery (webhook, seq)",
        // number: calls begun; next_at_ms: when the lease of the call ends, null once the test has ended.
        "CREATE TABLE test (
        seq INTEGER PRIMARY KEY,
        webhook INTEGER,
        webhook_name TEXT,
        status TEXT NOT NULL,
        number INTEGER NOT NULL,
        next_at_ms INTEGER,
        created_at_ms INTEGER NOT NULL,
        error_message TEXT,
        definition TEXT NOT NULL,
        event TEXT NOT NULL,
        attempt TEXT
    )",
        "CREATE INDEX test_due ON test (next_at_ms) WHERE next_at_ms IS NOT NULL",
        "CREATE TABLE inbox (
        seq INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        key TEXT NOT NULL UNIQUE,
        created_at_ms INTEGER NOT NULL,
        answer TEXT NOT NULL
    )",
        "CREATE TABLE inbox_request (
        seq INTEGER PRIMARY KEY,
        inbox INTEGER NOT NULL,
        received_at_ms INTEGER NOT NULL,
        request TEXT NOT NULL
    )",
        "CREATE INDEX inbox_request_inbox ON inbox_request (inbox, seq)",
        // item: a webhook's key, or 0 for the project itself.
        "CREATE TABLE outbox (
        item INTEGER PRIMARY KEY,
        version INTEGER NOT NULL,
        deleted INTEGER NOT NULL DEFAULT 0,
        failures INTEGER NOT NULL DEFAULT 0,
        next_at_ms INTEGER NOT NULL
    )",
    ],
    &[
        // settings: JSON of the project's defaults; inline_checked: below this key no inline lease is open.
        "ALTER TABLE meta ADD COLUMN settings TEXT NOT NULL DEFAULT '{}'",
        "ALTER TABLE meta ADD COLUMN inline_checked INTEGER NOT NULL DEFAULT 0",
        // Retention does not begin again before this (see `retention`).
        "ALTER TABLE meta ADD COLUMN upkeep_at_ms INTEGER NOT NULL DEFAULT 0",
        // Anew, because its large column stays last. lease_until_ms: the end of an inline lease, which the
        // index of due work does not hold (two written rows less a delivery); parked: 1 while its webhook's
        // gate is closed, 2 while an older open delivery has its order key; order_key: of an open delivery of
        // an ordered webhook; late: made by a replay, so that its key does not lie between its event's and
        // the next event's, as that of every other does.
        "ALTER TABLE delivery RENAME TO delivery_1",
        "DROP INDEX delivery_due",
        "DROP INDEX delivery_parked",
        "DROP INDEX delivery_webhook",
        "CREATE TABLE delivery (
        seq INTEGER PRIMARY KEY,
        event INTEGER NOT NULL,
        webhook INTEGER NOT NULL,
        state TEXT NOT NULL,
        attempt INTEGER NOT NULL DEFAULT 0,
        made INTEGER NOT NULL DEFAULT 0,
        scheduled INTEGER NOT NULL DEFAULT 0,
        offers INTEGER NOT NULL DEFAULT 0,
        claimed INTEGER NOT NULL DEFAULT 0,
        resend INTEGER NOT NULL DEFAULT 0,
        parked INTEGER NOT NULL DEFAULT 0,
        next_at_ms INTEGER,
        lease_until_ms INTEGER,
        order_key TEXT,
        late INTEGER NOT NULL DEFAULT 0,
        updated_at_ms INTEGER NOT NULL,
        last_status INTEGER,
        last_duration_ms INTEGER,
        last_result TEXT,
        attempts TEXT NOT NULL DEFAULT ''
    )",
        "INSERT INTO delivery (seq, event, webhook, state, attempt, made, scheduled, offers, claimed, resend, parked, next_at_ms,
        updated_at_ms, last_status, last_duration_ms, last_result, attempts)
     SELECT seq, event, webhook, state, attempt, made, scheduled, offers, claimed, resend, parked, next_at_ms,
        updated_at_ms, last_status, last_duration_ms, last_result, attempts FROM delivery_1",
        "DROP TABLE delivery_1",
        "CREATE INDEX delivery_due ON delivery (next_at_ms) WHERE next_at_ms IS NOT NULL",
        "CREATE INDEX delivery_parked ON delivery (webhook) WHERE parked = 1",
        "CREATE INDEX delivery_webhook ON delivery (webhook, seq)",
        "CREATE INDEX delivery_order ON delivery (webhook, order_key) WHERE order_key IS NOT NULL",
        "CREATE INDEX delivery_late ON delivery (event, webhook) WHERE late = 1",
        "ALTER TABLE event ADD COLUMN order_key TEXT",
        "ALTER TABLE event ADD COLUMN labels TEXT",
        // How a webhook does: JSON of core::health::Health; a row only where it is not plainly healthy.
        // Written when it changes.
        "CREATE TABLE webhook_health (webhook INTEGER PRIMARY KEY, health TEXT NOT NULL)",
        "ALTER TABLE webhook ADD COLUMN disabled_at_ms INTEGER",
        // Asked after every write; 10,000 webhooks may wait to be published.
        "CREATE INDEX outbox_due ON outbox (next_at_ms)",
        // query: JSON; cursor: the last key that was looked at.
        "CREATE TABLE replay (
        seq INTEGER PRIMARY KEY,
        state TEXT NOT NULL,
        cursor INTEGER NOT NULL,
        total INTEGER NOT NULL,
        scanned INTEGER NOT NULL,
        replayed INTEGER NOT NULL,
        created_at_ms INTEGER NOT NULL,
        ended_at_ms INTEGER,
        query TEXT NOT NULL
    )",
        // One row an hour, webhook and type; outcomes and latency: small texts of core::stats.
        "CREATE TABLE stat (
        hour INTEGER NOT NULL,
        webhook INTEGER NOT NULL,
        type TEXT NOT NULL,
        attempts INTEGER NOT NULL,
        delivered INTEGER NOT NULL,
        at_once INTEGER NOT NULL,
        outcomes TEXT NOT NULL,
        latency TEXT NOT NULL,
        PRIMARY KEY (hour, webhook, type)
    ) WITHOUT ROWID",
    ],
    &[
        // Audit log. entry: JSON of who, from where and with which difference.
        "CREATE TABLE audit (
        seq INTEGER PRIMARY KEY,
        at_ms INTEGER NOT NULL,
        action TEXT NOT NULL,
        subject TEXT NOT NULL,
        entry TEXT NOT NULL
    )",
        // Tokens.
        "ALTER TABLE token ADD COLUMN expires_at_ms INTEGER",
        "ALTER TABLE token ADD COLUMN last_used_at_ms INTEGER",
        // Event types. schema: JSON Schema.
        "ALTER TABLE event_type ADD COLUMN archived INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE event_type ADD COLUMN version INTEGER NOT NULL DEFAULT 1",
        "ALTER TABLE event_type ADD COLUMN schema TEXT",
        // Idempotency keys of calls other than posting an event. digest: SHA-256 of the call; reply: what it
        // was answered.
        "CREATE TABLE idempotency (
        seq INTEGER PRIMARY KEY,
        key TEXT NOT NULL UNIQUE,
        digest TEXT NOT NULL,
        reply TEXT NOT NULL
    )",
        // The sealing key under which everything is known to be sealed.
        "ALTER TABLE meta ADD COLUMN sealed_under TEXT",
        // Runs. phase: 0 its addresses are probed, 1 it waits for a claim, 2 it was claimed or has ended;
        // lost: claims whose lease ended; lease_until_ms: of the claim at hand; webhooks: JSON of
        // core::run::Webhooks, sealed; log: a JSON array.
        "CREATE TABLE run (
        seq INTEGER PRIMARY KEY,
        state TEXT NOT NULL,
        mode TEXT NOT NULL,
        phase INTEGER NOT NULL,
        claim INTEGER NOT NULL,
        lost INTEGER NOT NULL,
        lease_s INTEGER NOT NULL,
        lease_until_ms INTEGER,
        created_at_ms INTEGER NOT NULL,
        started_at_ms INTEGER,
        updated_at_ms INTEGER NOT NULL,
        ended_at_ms INTEGER,
        log_dropped INTEGER NOT NULL DEFAULT 0,
        message TEXT NOT NULL,
        progress TEXT,
        labels TEXT NOT NULL,
        webhooks TEXT,
        entry TEXT NOT NULL,
        chain TEXT NOT NULL,
        results TEXT,
        log TEXT NOT NULL DEFAULT '[]'
    )",
        "CREATE INDEX run_offered ON run (seq) WHERE phase = 1",
        "CREATE INDEX run_lease ON run (lease_until_ms) WHERE lease_until_ms IS NOT NULL",
        "CREATE INDEX run_state ON run (state, seq)",
        // number: calls begun; next_at_ms: due (waiting) or end of the lease (leased), null where nothing is
        // planned; snapshot: what an update that was not sent yet says; attempts: a JSON array of the latest
        // calls.
        "CREATE TABLE run_callback (
        run INTEGER NOT NULL,
        kind TEXT NOT NULL,
        state TEXT NOT NULL,
        number INTEGER NOT NULL,
        next_at_ms INTEGER,
        snapshot TEXT,
        attempts TEXT NOT NULL DEFAULT '[]',
        PRIMARY KEY (run, kind)
    )",
        "CREATE INDEX run_callback_due ON run_callback (next_at_ms) WHERE next_at_ms IS NOT NULL",
    ],
    &[
        // The calls that a rate limit counts, of webhooks that have one. begun: a JSON array of
        // [milliseconds, calls], oldest first; written with each claim.
        "CREATE TABLE rate_window (webhook INTEGER PRIMARY KEY, begun TEXT NOT NULL)",
        // When earlier calls began is not known: every window counts as used up at the end of the newest hour
        // that has attempts. Where that hour is not over, its end counts as now; where nothing was called of
        // late, it is long ago.
        "INSERT INTO rate_window (webhook, begun)
     SELECT seq, json_array(json_array(((SELECT max(hour) FROM stat) + 1) * 3600000, definition ->> '$.rate_limit.calls'))
     FROM webhook WHERE definition ->> '$.rate_limit.calls' IS NOT NULL AND (SELECT max(hour) FROM stat) IS NOT NULL",
    ],
    &[
        // Calls begun that told what is told now; 0: nothing of it was told yet. A snapshot stays while it is
        // told.
        "ALTER TABLE run_callback ADD COLUMN tries INTEGER NOT NULL DEFAULT 0",
        // A call that is under way told what is told now, unless an update has come since.
        "UPDATE run_callback SET tries = 1 WHERE state = 'leased' AND snapshot IS NULL",
    ],
    &[
        // Tickets for the live feed that nobody used yet. token: whose it is, null for ADMIN_TOKEN.
        "CREATE TABLE live_ticket (hash TEXT PRIMARY KEY, token INTEGER, expires_at_ms INTEGER NOT NULL) WITHOUT ROWID",
    ],
    &[
        // Whether a test is called again where it fails; waiting: next_at_ms is when it is called next, not
        // the end of a lease.
        "ALTER TABLE test ADD COLUMN retry INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE test ADD COLUMN waiting INTEGER NOT NULL DEFAULT 0",
    ],
    &[
        // What was given up or cancelled is rare, and looked for where something is wrong. One written row
        // for each of them, none for a delivery that succeeds.
        "CREATE INDEX delivery_unsent ON delivery (state, seq, webhook) WHERE state IN ('dead', 'cancelled')",
        // Whether it was told that the project is full (`quotas`).
        "ALTER TABLE meta ADD COLUMN \"full\" INTEGER NOT NULL DEFAULT 0",
    ],
    &[
        // One row: what was counted for good for `metrics`, as JSON.
        "CREATE TABLE metric (id INTEGER PRIMARY KEY CHECK (id = 1), counted TEXT NOT NULL)",
    ],
    &[
        // The numbers of the attempts that disabled the webhook, as a JSON array; null: none of them.
        "ALTER TABLE delivery ADD COLUMN disabling TEXT",
    ],
    &[
        // Deliveries that ended before then may have been deleted, whatever the retention says by now.
        "ALTER TABLE meta ADD COLUMN swept_before_ms INTEGER NOT NULL DEFAULT 0",
        // By the last pass that is known.
        "UPDATE meta SET swept_before_ms = upkeep_at_ms - 3600000 - coalesce(settings ->> '$.retention_days', 30) * 86400000
     WHERE upkeep_at_ms > 0",
    ],
    &[
        // What was given up before its retention was over (`ageing`), as JSON.
        "ALTER TABLE meta ADD COLUMN aged TEXT",
    ],
    &[
        // Of `delivery`: the bits of resend are 1 where somebody asked for the next attempt, 2 where a replay
        // sends the delivery; such a one has 3 in parked while it is held.
        "CREATE INDEX delivery_replayed ON delivery (webhook) WHERE parked = 3",
    ],
    &[
        // What is different about a test (`examination`).
        "ALTER TABLE test ADD COLUMN variation TEXT",
    ],
];

/// What outlives a project for a moment (`removal`): no migration, because there is no project then.
pub(crate) const LEFTOVER: &str =
    "CREATE TABLE leftover (webhook TEXT PRIMARY KEY, project TEXT NOT NULL) WITHOUT ROWID";

/// The newest schema.
#[expect(clippy::cast_possible_truncation, reason = "a handful of migrations")]
pub(crate) const NEWEST: u32 = MIGRATIONS.len() as u32;

/// Whether a project lives in this database. Reads only: a request for a project that was never created
/// leaves no trace.
pub(crate) fn exists<S: Sql>(sql: &S) -> Result<bool, LedgerError> {
    has_table(sql, "meta")
}

/// Whether something of a deleted project is left. Reads only.
pub(crate) fn has_leftovers<S: Sql>(sql: &S) -> Result<bool, LedgerError> {
    has_table(sql, "leftover")
}

fn has_table<S: Sql>(sql: &S, name: &str) -> Result<bool, LedgerError> {
    let statement = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = ?1";
    let rows = sql.run(statement, &[Value::from(name)])?;
    first(rows).ok_or(LedgerError::Corrupt { what: "a count has no row" })?.flag(0)
}

/// Drops every table of a project. The platform's own are not ours to drop. Inside the caller's transaction.
pub(crate) fn drop_all<S: Sql>(sql: &S) -> Result<(), LedgerError> {
    let tables = sql.run(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB '_cf_*' AND name NOT GLOB 'sqlite_*'",
        &[],
    )?;
    for table in &tables {
        sql.run(&format!("DROP TABLE \"{}\"", table.text(0)?), &[])?;
    }
    Ok(())
}

/// Runs the statements of migrations `from` (exclusive) to the newest. Inside the caller's transaction.
pub(crate) fn migrate<S: Sql>(sql: &S, from: u32) -> Result<(), LedgerError> {
    for statements in MIGRATIONS.iter().skip(from as usize) {
        for statement in *statements {
            sql.run(statement, &[])?;
        }
    }
    Ok(())
}

/// Brings an older store up to date; in one transaction, so that a crash leaves the older schema whole.
pub(crate) fn upgrade<S: Sql>(sql: &S, found: u32) -> Result<(), LedgerError> {
    if found > NEWEST {
        return Err(LedgerError::SchemaTooNew { found, known: NEWEST });
    }
    if found == NEWEST {
        return Ok(());
    }
    crate::sql::atomically(sql, |sql| {
        migrate(sql, found)?;
        meta::set_schema(sql, NEWEST)
    })
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use postern_core::webhook::{Definition, RateLimit};

    use super::*;
    use crate::row::text::to_json;
    use crate::sql::Value;
    use crate::support::build::{START, lease, ledger, post, project, webhook};
    use crate::support::native::Native;
    use crate::{Ledger, LedgerError};

    /// FNV-1a, 64 bits.
    fn digest(statements: &[&str]) -> u64 {
        let bytes = statements.iter().flat_map(|statement| statement.bytes());
        bytes
            .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
    }

    #[test]
    fn released_migrations_never_change() {
        let digests: Vec<String> =
            MIGRATIONS.iter().map(|statements| format!("{:016x}", digest(statements))).collect();
        let released = [
            "a28fcdf516acf6a7",
            "3693fbde774d5d58",
            "bc953398839f7432",
            "a65dc85b4f0b8916",
            "03f5ac8a53584671",
            "7b6da036e5dbd756",
            "f232a8e3de50a23a",
            "53e62908e1e385a5",
            "1024927d93ac914b",
            "051634632fb1291e",
            "308dfbf4b38e99b8",
            "1c4698545d7c7467",
            "082ffce8c3c1f201",
            "95b732a2c8a75d00",
        ];
        assert_eq!(digests, released, "add a migration instead of changing one");
    }

    #[test]
    fn a_database_without_a_project_is_left_as_it_is() {
        let sql = Native::new();
        assert!(Ledger::open(Rc::clone(&sql)).unwrap().is_none());
        assert!(sql.run("SELECT name FROM sqlite_master", &[]).unwrap().is_empty());
    }

    #[test]
    fn a_schema_of_a_newer_program_is_refused() {
        let ledger = ledger();
        ledger.sql.run("UPDATE meta SET schema = ?1", &[Value::from(NEWEST + 1)]).unwrap();
        let error = Ledger::open(Rc::clone(&ledger.sql)).unwrap_err();
        assert_eq!(error, LedgerError::SchemaTooNew { found: NEWEST + 1, known: NEWEST });
    }

    #[test]
    fn a_store_of_the_first_schema_is_brought_up_to_date_with_all_that_is_in_it() {
        let sql = Native::new();
        MIGRATIONS[0].iter().for_each(|statement| assert!(sql.run(statement, &[]).is_ok()));
        let definition = r#"{"name":"w","url":"https://w.example/","contract":"standard","events":["*"],
            "object":{"type":null,"name":null,"version":null},"headers":[],"description":"","labels":{},"timeout_s":10,
            "enabled":false,"retry":true,"include_result":false,"secret":null}"#;
        let webhook = "INSERT INTO webhook (seq, name, version, created_at_ms, updated_at_ms, definition) VALUES (1, 'w', 1, 0, 0, ?1)";
        sql.run(webhook, &[Value::from(definition)]).unwrap();
        for statement in [
            "INSERT INTO meta (id, schema, project, salt, created_at_ms) VALUES (1, 1, 'p1', '7', 0)",
            "INSERT INTO event (seq, type, accepted_at_ms, deliveries, data) VALUES (2, 'a', 0, 1, '1')",
            "INSERT INTO delivery (seq, event, webhook, state, parked, updated_at_ms) VALUES (3, 2, 1, 'pending', 1, 0)",
        ] {
            sql.run(statement, &[]).unwrap();
        }
        let mut ledger = Ledger::open(Rc::clone(&sql)).unwrap().unwrap();
        let mut found = ledger.stored_webhook("w").unwrap().definition;
        found.enabled = true;
        ledger.update_webhook("w", found, None, START).unwrap();
        assert_eq!(lease(&mut ledger, START).len(), 1, "what waited for its webhook still does");
        assert!(Ledger::open(sql).unwrap().is_some());
    }

    #[test]
    fn after_an_upgrade_a_rate_limit_counts_the_calls_of_which_nothing_was_kept() {
        // The hour of START, in which something was called, and one that is long over.
        for (hour, leased_at_once) in [(START.0 / 3_600_000, 0), (START.0 / 3_600_000 - 2, 2)] {
            let sql = Native::new();
            MIGRATIONS[..3]
                .iter()
                .copied()
                .flatten()
                .for_each(|statement| assert!(sql.run(statement, &[]).is_ok()));
            let limit = RateLimit { calls: 2, per_s: 60 };
            for (seq, definition) in [
                (1, Definition { rate_limit: Some(limit), ..webhook("limited", "a") }),
                (2, webhook("other", "b")),
            ] {
                sql.run(
                    "INSERT INTO webhook (seq, name, version, created_at_ms, updated_at_ms, definition) VALUES (?1, ?2, 1, 0, 0, ?3)",
                    &[Value::Integer(seq), Value::from(definition.name.as_str()), Value::Text(to_json(&definition).unwrap())],
                )
                .unwrap();
            }
            sql.run(
                "INSERT INTO meta (id, schema, project, salt, created_at_ms) VALUES (1, 3, 'p1', '7', 0)",
                &[],
            )
            .unwrap();
            sql.run("INSERT INTO stat VALUES (?1, 1, 'a', 9, 9, 9, '', '')", &[Value::from(hour)]).unwrap();
            let mut ledger = Ledger::open(Rc::clone(&sql)).unwrap().unwrap();
            assert_eq!(sql.run("SELECT webhook FROM rate_window", &[]).unwrap().len(), 1);
            for _event in 0..3 {
                post(&mut ledger, "a");
            }
            assert_eq!(lease(&mut ledger, START).len(), leased_at_once);
            let mut ledger = Ledger::open(sql).unwrap().unwrap();
            assert_eq!(
                lease(&mut ledger, START.plus_ms(60_000)).len(),
                2,
                "an hour that is not over does not close it for longer"
            );
        }
    }

    #[test]
    fn callbacks_of_runs_that_an_older_build_has_begun_go_on() {
        let sql = Native::new();
        MIGRATIONS[..4]
            .iter()
            .copied()
            .flatten()
            .for_each(|statement| assert!(sql.run(statement, &[]).is_ok()));
        let webhooks = r#"{"finished":{"url":"https://f.example/","authorization":"s1.k1.x"},
            "update":{"url":"https://u.example/","authorization":"s1.k1.x"},"user":"u"}"#;
        let (soon, gone) = (START.plus_ms(1_000), START.plus_ms(-1_000));
        let entry = r#"{"origin":"https://h","path":"/p","endpoint":"runs"}"#;
        let run = "INSERT INTO run (seq, state, mode, phase, claim, lost, lease_s, created_at_ms, updated_at_ms, message, labels, webhooks,
            entry, chain) VALUES (?1, 'running', 'work', 2, 1, 0, 3600, 0, 0, 'm', '{}', ?2, ?3, '{}')";
        let callback = "INSERT INTO run_callback (run, kind, state, number, next_at_ms, snapshot) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        let said = r#"{"message":"newer","progress":null,"at":"2026-11-21T14:07:31.204Z"}"#;
        for (seq, kind, state, number, at, snapshot) in [
            (1, "update", "leased", 2, gone, None),
            (2, "update", "leased", 2, gone, Some(said)),
            (3, "update", "waiting", 2, gone, Some(said)),
            (4, "finished", "waiting", 5, soon, None),
            (5, "finished", "leased", 5, gone, None),
        ] {
            sql.run(run, &[Value::Integer(seq), Value::from(webhooks), Value::from(entry)]).unwrap();
            let values = [
                Value::Integer(seq),
                Value::from(kind),
                Value::from(state),
                Value::Integer(number),
                Value::from(at),
                Value::from(snapshot),
            ];
            sql.run(callback, &values).unwrap();
        }
        sql.run(
            "INSERT INTO meta (id, schema, project, salt, created_at_ms) VALUES (1, 4, 'p1', '7', 0)",
            &[],
        )
        .unwrap();
        let mut ledger = Ledger::open(Rc::clone(&sql)).unwrap().unwrap();
        let mut called = Vec::new();
        for wait in [0, 0, 1_000, 10_000] {
            called.extend(
                ledger
                    .due_runs(START.plus_ms(wait))
                    .unwrap()
                    .calls
                    .into_iter()
                    .map(|call| (call.run.0, call.number)),
            );
        }
        called.sort_unstable();
        // The update that was under way when the older build stopped left no trace of what it said.
        assert_eq!(called, [(2, 3), (3, 3), (4, 6), (5, 6)]);
    }

    #[test]
    fn a_creation_that_fails_can_be_repeated() {
        let sql = Native::new();
        sql.run("CREATE TABLE outbox (wrong TEXT)", &[]).unwrap();
        assert!(Ledger::create(Rc::clone(&sql), &project(), 7, START).is_err());
        sql.run("DROP TABLE outbox", &[]).unwrap();
        assert!(Ledger::create(sql, &project(), 7, START).is_ok());
    }
}
