//! A long history, made at once: for tests of what looks at many rows.

use std::rc::Rc;

use postern_core::delivery::State;
use postern_core::id::Seq;

use super::native::Native;
use postern_ledger::{Ledger, Sql as _, Value};

/// Adds events of a type, a millisecond apart, each with a delivery to `webhook` in this state, past
/// everything that decides on it. Gives the project as a new object finds it.
pub(crate) fn add(
    store: &Rc<Native>,
    webhook: Seq,
    number: i64,
    kind: &str,
    state: State,
) -> Ledger<Rc<Native>> {
    let last = "SELECT max(seq) FROM (SELECT max(seq) AS seq FROM delivery UNION ALL SELECT max(seq) FROM webhook) AS j";
    let after = store.run(last, &[]).unwrap()[0].seq(0).unwrap();
    let after = Value::from(after.0 + 4_096);
    let rows = "WITH RECURSIVE n (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n WHERE n + 1 < ?2)";
    let accepted = "((?1 + n * 4096) >> 12) + 1767225600000";
    store
        .run(
            &format!(
                "INSERT INTO event (seq, type, accepted_at_ms, deliveries, data)
                 {rows} SELECT ?1 + n * 4096, ?3, {accepted}, 1, '1' FROM n"
            ),
            &[after.clone(), Value::from(number), Value::from(kind)],
        )
        .unwrap();
    let due = if state.is_final() { "NULL" } else { accepted };
    store
        .run(
            &format!(
                "INSERT INTO delivery (seq, event, webhook, state, next_at_ms, updated_at_ms)
                 {rows} SELECT ?1 + n * 4096 + 1, ?1 + n * 4096, ?3, ?4, {due}, {accepted} FROM n"
            ),
            &[after, Value::from(number), Value::from(webhook), Value::from(state.as_str())],
        )
        .unwrap();
    Ledger::open(Rc::clone(store)).unwrap().unwrap()
}
