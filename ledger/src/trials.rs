//! Tests: trial calls to a webhook or to any URL.
//!
//! A test goes from pending to completed or failed. Whoever creates it makes the call; where that call is lost, the
//! alarm has it made once more, and after that the test has failed, so no test is pending for ever.

use postern_core::api::delivery::AttemptView;
use postern_core::api::test::{TestStatus, TestView};
use postern_core::contract::{Source, counts_as_delivered};
use postern_core::delivery::{Attempt, Outcome, Trigger};
use postern_core::event::ObjectRef;
use postern_core::explain;
use postern_core::id::{Kind, Seq};
use postern_core::time::Timestamp;
use postern_core::webhook::Definition;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::deliveries::attempt_view;
use crate::error::{LedgerError, damaged};
use crate::project::Ledger;
use crate::sql::{Row, Sql, Value, atomically, first};
use crate::webhooks::to_json;
use crate::work::{LEASE_SLACK_MS, WorkEvent};

/// Tests that a project keeps; the oldest make room.
const TESTS_KEPT: i64 = 500;
/// Calls of one test at most.
const CALLS_MAX: u32 = 2;
/// Lost tests that one wake-up takes up.
const DUE_MAX: u32 = 50;
/// What [`test_row`] reads.
const COLUMNS: &str = "seq, webhook, webhook_name, status, number, next_at_ms, created_at_ms, error_message, definition, event, attempt";

/// What to test.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TestDraft {
    /// The webhook whose definition is tested; `None` for a bare URL.
    pub webhook: Option<Seq>,
    /// Its name, to be shown.
    pub webhook_name: Option<String>,
    /// The definition, sealed: under the webhook's id where there is one, else under the test's.
    pub definition: Definition,
    /// The event type of the trial event.
    pub kind: String,
    /// Its data.
    pub data: Box<RawValue>,
    /// Its object.
    pub object: Option<ObjectRef>,
}

/// A trial call to make, once.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TestWork {
    /// The test.
    pub test: Seq,
    /// Which call of it, from 1.
    pub number: u32,
    /// The `webhook-id`.
    pub message_id: String,
    /// The definition, sealed.
    pub definition: Definition,
    /// The id under which its secrets are sealed: `whk_…` or `tst_…`.
    pub sealed_under: String,
    /// The trial event.
    pub event: WorkEvent,
    /// When the ledger takes the call for lost.
    pub lease_until: Timestamp,
}

/// What became of tests whose call was lost.
#[derive(Clone, Debug, Default)]
pub struct DueTests {
    /// To be called once more.
    pub works: Vec<TestWork>,
    /// Given up.
    pub ended: Vec<TestView>,
}

/// A test's row.
struct TestRow {
    seq: Seq,
    webhook: Option<Seq>,
    webhook_name: Option<String>,
    status: TestStatus,
    number: u32,
    created_at: Timestamp,
    error_message: Option<String>,
    definition: Definition,
    event: WorkEvent,
    attempt: Option<Attempt>,
}

impl<S: Sql> Ledger<S> {
    /// Stores a test under a key from [`Ledger::reserve`] and leases its call to the caller.
    ///
    /// # Errors
    /// The database fails.
    pub fn create_test(&mut self, seq: Seq, draft: TestDraft, now: Timestamp) -> Result<(TestView, TestWork), LedgerError> {
        let id = self.ids.id(Kind::Test, seq);
        let event = WorkEvent { seq, id, kind: draft.kind, data: draft.data, object: draft.object, accepted_at: now };
        let test = TestRow {
            seq,
            webhook: draft.webhook,
            webhook_name: draft.webhook_name,
            status: TestStatus::Pending,
            number: 1,
            created_at: now,
            error_message: None,
            definition: draft.definition,
            event,
            attempt: None,
        };
        let (definition, event) = (to_json(&test.definition)?, to_json(&test.event)?);
        atomically(&self.sql, |sql| {
            sql.run(
                "INSERT INTO test (seq, webhook, webhook_name, status, number, next_at_ms, created_at_ms, definition, event)
                 VALUES (?1, ?2, ?3, 'pending', 1, ?4, ?5, ?6, ?7)",
                &[
                    Value::from(seq),
                    Value::from(test.webhook),
                    Value::from(test.webhook_name.as_deref()),
                    Value::from(test.lease_until(now)),
                    Value::from(now),
                    Value::Text(definition),
                    Value::Text(event),
                ],
            )?;
            sql.run(
                "DELETE FROM test WHERE seq <= (SELECT seq FROM test ORDER BY seq DESC LIMIT 1 OFFSET ?1)",
                &[Value::from(TESTS_KEPT)],
            )?;
            Ok(())
        })?;
        Ok((self.test_view(&test), self.test_work(&test, now)))
    }

    /// Takes up tests whose call was lost (its lease ended): once more, or not again. Call it again while
    /// [`Ledger::next_wake`] is not in the future.
    ///
    /// # Errors
    /// The database fails.
    pub fn due_tests(&mut self, now: Timestamp) -> Result<DueTests, LedgerError> {
        let rows = self.sql.run(
            &format!("SELECT {COLUMNS} FROM test WHERE next_at_ms <= ?1 ORDER BY next_at_ms LIMIT ?2"),
            &[Value::from(now), Value::from(DUE_MAX)],
        )?;
        let mut due = DueTests::default();
        if rows.is_empty() {
            return Ok(due);
        }
        let mut repeated = Vec::new();
        let mut ended = Vec::new();
        for row in &rows {
            let mut test = test_row(row)?;
            if test.number < CALLS_MAX {
                test.number += 1;
                repeated.push(test);
            } else {
                let lost = Attempt {
                    number: test.number,
                    trigger: Trigger::Schedule,
                    started_at: test.created_at,
                    duration_ms: u32::try_from(now.ms_since(test.created_at)).unwrap_or(0),
                    outcome: Outcome::Lost,
                    request: None,
                    response: None,
                    request_id: None,
                };
                test.end(lost);
                ended.push(test);
            }
        }
        atomically(&self.sql, |sql| {
            for test in &repeated {
                sql.run(
                    "UPDATE test SET number = ?2, next_at_ms = ?3 WHERE seq = ?1",
                    &[Value::from(test.seq), Value::from(test.number), Value::from(test.lease_until(now))],
                )?;
            }
            ended.iter().try_for_each(|test| write_end(sql, test))
        })?;
        due.works = repeated.iter().map(|test| self.test_work(test, now)).collect();
        due.ended = ended.iter().map(|test| self.test_view(test)).collect();
        Ok(due)
    }

    /// Takes in what came of call `number`. `None`: the test is unknown or has ended; a late report of an earlier call
    /// ends a pending test, because it says what was asked.
    ///
    /// # Errors
    /// The database fails.
    pub fn report_test(&mut self, test: Seq, number: u32, mut attempt: Attempt, now: Timestamp) -> Result<Option<TestView>, LedgerError> {
        let rows = self.sql.run(&format!("SELECT {COLUMNS} FROM test WHERE seq = ?1"), &[Value::from(test)])?;
        let Some(mut test) = first(rows).map(|row| test_row(&row)).transpose()? else { return Ok(None) };
        if test.status != TestStatus::Pending || number > test.number {
            return Ok(None);
        }
        attempt.number = number;
        // The clock of the Worker that called may be ahead of the object's; nothing begins after it was reported.
        attempt.started_at = attempt.started_at.min(now);
        attempt.trigger = Trigger::Schedule;
        test.end(attempt);
        write_end(&self.sql, &test)?;
        Ok(Some(self.test_view(&test)))
    }

    /// A test.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`]; the database fails.
    pub fn test(&self, id: &str) -> Result<TestView, LedgerError> {
        let seq = self.seq_of(Kind::Test, id, "test")?;
        let rows = self.sql.run(&format!("SELECT {COLUMNS} FROM test WHERE seq = ?1"), &[Value::from(seq)])?;
        let row = first(rows).ok_or(LedgerError::NotFound { what: "test" })?;
        Ok(self.test_view(&test_row(&row)?))
    }

    fn test_work(&self, test: &TestRow, now: Timestamp) -> TestWork {
        TestWork {
            test: test.seq,
            number: test.number,
            message_id: self.ids.id(Kind::Message, test.seq),
            definition: test.definition.clone(),
            sealed_under: test.webhook.map_or_else(|| self.ids.id(Kind::Test, test.seq), |webhook| self.ids.id(Kind::Webhook, webhook)),
            event: test.event.clone(),
            lease_until: test.lease_until(now),
        }
    }

    fn test_view(&self, test: &TestRow) -> TestView {
        let (event, contract) = (&test.event, test.definition.contract);
        let source = Source { kind: &event.kind, accepted_at: event.accepted_at, data: &event.data, object: event.object.as_ref() };
        TestView {
            id: self.ids.id(Kind::Test, test.seq),
            webhook: test.webhook_name.clone(),
            status: test.status,
            error_message: test.error_message.clone(),
            attempt: test.attempt.clone().map(|attempt| {
                let reason = explain::trial(contract, &attempt);
                AttemptView { reason, ..attempt_view(contract, attempt, &source) }
            }),
            created_at: test.created_at,
        }
    }
}

impl TestRow {
    fn lease_until(&self, now: Timestamp) -> Timestamp {
        now.plus_ms(i64::from(self.definition.timeout_s) * 1_000 + LEASE_SLACK_MS)
    }

    /// Ends the test with this call.
    fn end(&mut self, attempt: Attempt) {
        let contract = self.definition.contract;
        let completed = matches!(attempt.outcome, Outcome::Answered { status } if counts_as_delivered(contract, status));
        self.status = if completed { TestStatus::Completed } else { TestStatus::Failed };
        self.error_message = (!completed).then(|| explain::trial(contract, &attempt).headline);
        self.attempt = Some(attempt);
    }
}

fn write_end<S: Sql>(sql: &S, test: &TestRow) -> Result<(), LedgerError> {
    let status = if test.status == TestStatus::Completed { "completed" } else { "failed" };
    sql.run(
        "UPDATE test SET status = ?2, number = ?3, next_at_ms = NULL, error_message = ?4, attempt = ?5 WHERE seq = ?1",
        &[
            Value::from(test.seq),
            Value::from(status),
            Value::from(test.number),
            Value::from(test.error_message.as_deref()),
            Value::from(test.attempt.as_ref().map(to_json).transpose()?),
        ],
    )?;
    Ok(())
}

fn test_row(row: &Row) -> Result<TestRow, LedgerError> {
    let status = match row.text(3)? {
        "pending" => TestStatus::Pending,
        "completed" => TestStatus::Completed,
        "failed" => TestStatus::Failed,
        _ => return Err(LedgerError::Corrupt { what: "a test's status is none" }),
    };
    let attempt = row.text_or_none(10)?.map(serde_json::from_str).transpose();
    Ok(TestRow {
        seq: row.seq(0)?,
        webhook: row.integer_or_none(1)?.map(Seq),
        webhook_name: row.text_or_none(2)?.map(String::from),
        status,
        number: row.number(4)?,
        created_at: row.timestamp(6)?,
        error_message: row.text_or_none(7)?.map(String::from),
        definition: serde_json::from_str(row.text(8)?).map_err(damaged("a definition does not read back"))?,
        event: serde_json::from_str(row.text(9)?).map_err(damaged("a test's event does not read back"))?,
        attempt: attempt.map_err(damaged("an attempt does not read back"))?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::build::{START, attempt, json, ledger, webhook};

    const LEASE_MS: i64 = 40_000;

    fn create(ledger: &mut Ledger<impl Sql>, webhook_key: Option<Seq>) -> (TestView, TestWork) {
        let draft = TestDraft {
            webhook: webhook_key,
            webhook_name: webhook_key.map(|_key| String::from("w")),
            definition: webhook("w", "*"),
            kind: String::from("order.paid"),
            data: json("{}"),
            object: None,
        };
        let seq = ledger.reserve(START);
        ledger.create_test(seq, draft, START).unwrap()
    }

    fn answered(status: u16) -> Attempt {
        attempt(1, Outcome::Answered { status }, START)
    }

    #[test]
    fn a_test_goes_from_pending_to_completed_or_failed_with_words() {
        let mut ledger = ledger();
        for (status, expected) in [(204, TestStatus::Completed), (302, TestStatus::Failed), (500, TestStatus::Failed)] {
            let (view, work) = create(&mut ledger, None);
            assert_eq!((view.status, work.number), (TestStatus::Pending, 1));
            let ended = ledger.report_test(work.test, 1, answered(status), START).unwrap().unwrap();
            assert_eq!(ended.status, expected);
            assert_eq!(ended.error_message.is_some(), expected == TestStatus::Failed);
            assert_eq!(ledger.test(&view.id).unwrap(), ended);
            assert_eq!(ledger.report_test(work.test, 1, answered(200), START).unwrap(), None, "the first report counts");
        }
    }

    #[test]
    fn a_receiver_that_is_gone_is_told_without_claiming_that_the_webhook_was_disabled() {
        let mut ledger = ledger();
        let (_view, work) = create(&mut ledger, None);
        let ended = ledger.report_test(work.test, 1, answered(410), START).unwrap().unwrap();
        let advice = ended.attempt.unwrap().reason.advice;
        assert!(advice.contains("nothing is disabled") && !advice.contains("Postern disabled"), "{advice}");
    }

    #[test]
    fn secrets_are_sealed_under_the_webhook_or_else_under_the_test() {
        let mut ledger = ledger();
        let key = ledger.reserve(START);
        let (_view, work) = create(&mut ledger, Some(key));
        assert_eq!(work.sealed_under, ledger.ids().id(Kind::Webhook, key));
        let (view, work) = create(&mut ledger, None);
        assert_eq!(work.sealed_under, view.id);
        assert!(work.message_id.starts_with("msg_"));
    }

    #[test]
    fn a_lost_call_is_made_once_more_and_then_the_test_has_failed() {
        let mut ledger = ledger();
        let (view, _work) = create(&mut ledger, None);
        assert!(ledger.due_tests(START.plus_ms(LEASE_MS - 1)).unwrap().works.is_empty());
        let again = ledger.due_tests(START.plus_ms(LEASE_MS)).unwrap();
        assert_eq!((again.works[0].number, again.ended.len()), (2, 0));
        let ended = ledger.due_tests(START.plus_ms(2 * LEASE_MS)).unwrap();
        assert!(ended.works.is_empty());
        assert_eq!(ended.ended[0].status, TestStatus::Failed);
        assert!(ledger.test(&view.id).unwrap().error_message.is_some());
        assert!(ledger.due_tests(START.plus_ms(9 * LEASE_MS)).unwrap().ended.is_empty());
    }

    #[test]
    fn a_late_report_of_the_first_call_ends_the_test() {
        let mut ledger = ledger();
        let (_view, work) = create(&mut ledger, None);
        ledger.due_tests(START.plus_ms(LEASE_MS)).unwrap();
        let later = START.plus_ms(LEASE_MS + 5);
        assert_eq!(ledger.report_test(work.test, 3, answered(200), later).unwrap(), None, "a call that was not made");
        assert_eq!(ledger.report_test(work.test, 1, answered(200), later).unwrap().unwrap().status, TestStatus::Completed);
        assert_eq!(ledger.report_test(Seq(1), 1, answered(200), later).unwrap(), None);
    }

    #[test]
    fn a_report_by_a_clock_that_is_ahead_counts() {
        let mut ledger = ledger();
        let (_view, work) = create(&mut ledger, None);
        let ahead = attempt(1, Outcome::Answered { status: 204 }, START.plus_ms(7));
        let ended = ledger.report_test(work.test, 1, ahead, START).unwrap().unwrap();
        assert_eq!((ended.status, ended.attempt.unwrap().attempt.started_at), (TestStatus::Completed, START));
    }

    #[test]
    fn the_oldest_tests_make_room() {
        let mut ledger = ledger();
        let (oldest, _work) = create(&mut ledger, None);
        for _test in 0..TESTS_KEPT {
            create(&mut ledger, None);
        }
        assert_eq!(ledger.test(&oldest.id), Err(LedgerError::NotFound { what: "test" }));
    }
}
