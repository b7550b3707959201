//! Tests: trial calls to a webhook or to any URL.
//!
//! A test goes from pending to completed or failed. The request that creates it makes the call; if that call
//! is lost, the alarm has it made once more, and after that the test has failed, so that no test is pending
//! for ever.
//! A test that retries stays pending through a short schedule ([`TEST_WAITS_S`]); what follows each attempt
//! is decided as for a delivery, and the alarm makes the calls.

use postern_core::api::delivery::AttemptView;
use postern_core::api::test::{TestStatus, TestView};
use postern_core::contract::{Source, counts_as_delivered};
use postern_core::delivery::{Attempt, Decision, Outcome, RetryTerms, Trigger, decide};
use postern_core::event::ObjectRef;
use postern_core::examination::{Finding, Variation};
use postern_core::explain;
use postern_core::id::{Kind, Seq};
use postern_core::retry::{TEST_WAIT_MAX_S, TEST_WAITS_S};
use postern_core::time::Timestamp;
use postern_core::webhook::Definition;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::deliveries::attempt_view;
use crate::error::{LedgerError, damaged};
use crate::memory::roster::LEASE_SLACK_MS;
use crate::project::Ledger;
use crate::row::text::to_json;
use crate::row::trial::{self, Kept, NewTrial, TrialProgress, status_of};
use crate::sql::{Row, Sql, Value, atomically, first};
use crate::work::WorkEvent;

/// Tests that a project keeps; the oldest make room.
const TESTS_KEPT: Kept = Kept { ended: 500, all: 2_000 };
/// Calls of one test at most that does not retry.
const CALLS_MAX: u32 = 2;
/// Tests that one wake-up takes up.
const DUE_MAX: u32 = 50;
/// Calls that are under way at once where the alarm makes them: as many as one invocation may have open
/// (docs/platform.md 2.4).
const CALLS_AT_ONCE: u32 = 6;
/// What [`test_row`] reads.
const COLUMNS: &str = "seq, webhook, webhook_name, status, number, next_at_ms, created_at_ms, error_message, definition, event, attempt, \
                       retry, waiting, variation";

/// What to test.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TestDraft {
    /// The webhook whose definition is tested; `None` for a bare URL.
    pub webhook: Option<Seq>,
    /// Its name, to be shown.
    pub webhook_name: Option<String>,
    /// Whether it is called again where it fails.
    pub retry: bool,
    /// The definition, sealed: under the webhook's id where there is one, else under the test's.
    pub definition: Definition,
    /// The event type of the trial event.
    pub kind: String,
    /// Its data.
    pub data: Box<RawValue>,
    /// Its object.
    pub object: Option<ObjectRef>,
    /// What is different from a sound callback.
    pub variation: Option<Variation>,
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
    /// What is different from a sound callback.
    pub variation: Option<Variation>,
}

/// What became of tests that were due.
#[derive(Clone, Debug, Default)]
pub struct DueTests {
    /// To be called, once.
    pub works: Vec<TestWork>,
    /// Tests whose call was lost: given up, or to be called again after a pause.
    pub changed: Vec<TestView>,
}

/// A test's row.
struct TestRow {
    seq: Seq,
    webhook: Option<Seq>,
    webhook_name: Option<String>,
    status: TestStatus,
    /// Calls started.
    number: u32,
    /// When the lease of the call at hand ends, or, where it `waits`, when the next call is due.
    next_at: Option<Timestamp>,
    waits: bool,
    retry: bool,
    created_at: Timestamp,
    error_message: Option<String>,
    definition: Definition,
    event: WorkEvent,
    attempt: Option<Attempt>,
    variation: Option<Variation>,
}

impl<S: Sql> Ledger<S> {
    /// Stores a test under a key from [`Ledger::reserve`] and leases its calls to the caller. Each counts as
    /// an event of its caller's.
    ///
    /// # Errors
    /// [`LedgerError::Quota`] over the events of a minute; the database fails.
    pub fn create_test(
        &mut self,
        seq: Seq,
        draft: TestDraft,
        now: Timestamp,
    ) -> Result<(TestView, TestWork), LedgerError> {
        self.admit_events(draft.variation.map_or(1, |variation| variation.calls() as usize), now)?;
        let id = self.ids.id(Kind::Test, seq);
        let event =
            WorkEvent { seq, id, kind: draft.kind, data: draft.data, object: draft.object, accepted_at: now };
        let test = TestRow {
            seq,
            webhook: draft.webhook,
            webhook_name: draft.webhook_name,
            status: TestStatus::Pending,
            number: 1,
            next_at: None,
            waits: false,
            retry: draft.retry,
            created_at: now,
            error_message: None,
            definition: draft.definition,
            event,
            attempt: None,
            variation: draft.variation,
        };
        let (definition, event) = (to_json(&test.definition)?, to_json(&test.event)?);
        atomically(&self.sql, |sql| {
            let new = NewTrial {
                seq,
                webhook: test.webhook,
                webhook_name: test.webhook_name.as_deref(),
                lease_until: test.lease_until(now),
                definition,
                event,
                retry: test.retry,
                variation: test.variation,
            };
            trial::insert(sql, new, TESTS_KEPT, now)
        })?;
        Ok((self.test_view(&test), self.test_work(&test, now)))
    }

    /// Takes up tests whose call was lost (its lease ended), and those whose next call is due. Call it again
    /// while [`Ledger::next_wake`] is not in the future.
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
        let under_way = self.sql.run(
            "SELECT count(*) FROM test WHERE next_at_ms > ?1 AND waiting = 0 AND number > 1",
            &[Value::from(now)],
        )?;
        let under_way =
            first(under_way).ok_or(LedgerError::Corrupt { what: "a count has no row" })?.number(0)?;
        let mut free = CALLS_AT_ONCE.saturating_sub(under_way);
        let mut tests = rows.iter().map(test_row).collect::<Result<Vec<_>, _>>()?;
        let (mut called, mut lost) = (Vec::new(), Vec::new());
        for (at, test) in tests.iter_mut().enumerate() {
            if !test.waits {
                test.lose(now);
                if test.waits && test.retry || test.status != TestStatus::Pending {
                    lost.push(at);
                }
            }
            if test.is_due(now) && free > 0 {
                free = free.saturating_sub(test.variation.map_or(1, Variation::calls));
                test.number += 1;
                test.waits = false;
                test.next_at = Some(test.lease_until(now));
                called.push(at);
            }
        }
        atomically(&self.sql, |sql| tests.iter().try_for_each(|test| write(sql, test)))?;
        due.works =
            called.iter().filter_map(|at| tests.get(*at)).map(|test| self.test_work(test, now)).collect();
        due.changed = lost.iter().filter_map(|at| tests.get(*at)).map(|test| self.test_view(test)).collect();
        Ok(due)
    }

    /// Takes in what came of call `number`. `None`: it changes nothing, because the test is unknown or has
    /// ended, or because the call is recorded already. A late report of a call that was taken for lost ends a
    /// pending test, because it says what was asked; where the test retries, only if the receiver took it.
    ///
    /// # Errors
    /// The database fails.
    pub fn report_test(
        &mut self,
        test: Seq,
        number: u32,
        mut attempt: Attempt,
        now: Timestamp,
    ) -> Result<Option<TestView>, LedgerError> {
        let rows =
            self.sql.run(&format!("SELECT {COLUMNS} FROM test WHERE seq = ?1"), &[Value::from(test)])?;
        let Some(mut test) = first(rows).map(|row| test_row(&row)).transpose()? else { return Ok(None) };
        if test.status != TestStatus::Pending || number > test.number {
            return Ok(None);
        }
        let is_expected = number == test.number && !test.waits;
        let took_it = matches!(attempt.outcome, Outcome::Answered { status } if counts_as_delivered(test.definition.contract, status));
        if test.retry && !is_expected && !took_it {
            return Ok(None);
        }
        attempt.number = number;
        // The clock of the Worker that called may be ahead of the object's; nothing starts after it was
        // reported.
        attempt.started_at = attempt.started_at.min(now);
        attempt.trigger = Trigger::Schedule;
        test.end_call(attempt, now);
        write(&self.sql, &test)?;
        Ok(Some(self.test_view(&test)))
    }

    /// A test.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`]; the database fails.
    pub fn test(&self, id: &str) -> Result<TestView, LedgerError> {
        let seq = self.seq_of(Kind::Test, id, "test")?;
        let rows =
            self.sql.run(&format!("SELECT {COLUMNS} FROM test WHERE seq = ?1"), &[Value::from(seq)])?;
        let row = first(rows).ok_or(LedgerError::NotFound { what: "test" })?;
        Ok(self.test_view(&test_row(&row)?))
    }

    fn test_work(&self, test: &TestRow, now: Timestamp) -> TestWork {
        TestWork {
            test: test.seq,
            number: test.number,
            message_id: self.ids.id(Kind::Message, test.seq),
            definition: test.definition.clone(),
            sealed_under: test.webhook.map_or_else(
                || self.ids.id(Kind::Test, test.seq),
                |webhook| self.ids.id(Kind::Webhook, webhook),
            ),
            event: test.event.clone(),
            lease_until: test.lease_until(now),
            variation: test.variation,
        }
    }

    fn test_view(&self, test: &TestRow) -> TestView {
        let (event, contract) = (&test.event, test.definition.contract);
        let sent_instead = test.variation.and_then(Variation::data);
        let source = Source {
            kind: &event.kind,
            accepted_at: event.accepted_at,
            data: sent_instead.as_deref().unwrap_or(&event.data),
            object: event.object.as_ref(),
        };
        TestView {
            id: self.ids.id(Kind::Test, test.seq),
            webhook: test.webhook_name.clone(),
            status: test.status,
            error_message: test.error_message.clone(),
            retry: test.retry,
            attempts: test
                .number
                .saturating_sub(u32::from(test.status == TestStatus::Pending && !test.waits)),
            next_attempt_at: test.next_at.filter(|_| test.waits),
            attempt: test.attempt.clone().map(|attempt| {
                let reason = if test.definition.confirm_gone {
                    explain::trial_where_gone_is_confirmed(contract, &attempt)
                } else {
                    explain::trial(contract, &attempt)
                };
                AttemptView { reason, ..attempt_view(contract, attempt, &source) }
            }),
            variation: test.variation,
            finding: test.finding(),
            created_at: test.created_at,
        }
    }
}

impl TestRow {
    fn lease_ms(&self) -> i64 {
        let calls = self.variation.map_or(1, Variation::calls_in_a_row);
        i64::from(calls * self.definition.timeout_s) * 1_000 + LEASE_SLACK_MS
    }

    fn lease_until(&self, now: Timestamp) -> Timestamp {
        now.plus_ms(self.lease_ms())
    }

    /// What the answer says about the receiver, once the test has ended.
    fn finding(&self) -> Option<Finding> {
        let (variation, attempt) = (self.variation?, self.attempt.as_ref()?);
        let has_ended = self.status != TestStatus::Pending;
        has_ended.then(|| variation.judge(self.definition.contract, &attempt.outcome))
    }

    /// Whether a call is to be made.
    fn is_due(&self, now: Timestamp) -> bool {
        self.waits && self.next_at.is_some_and(|at| at <= now)
    }

    /// The lease of the call at hand has ended. A test that does not retry is called once more; the other
    /// calls it a failure.
    fn lose(&mut self, now: Timestamp) {
        if !self.retry && self.number < CALLS_MAX {
            self.waits = true;
            self.next_at = Some(now);
            return;
        }
        let started_at = match self.next_at {
            Some(lease_until) if self.retry => lease_until.plus_ms(-self.lease_ms()),
            _ => self.created_at,
        };
        let lost = Attempt {
            number: self.number,
            trigger: Trigger::Schedule,
            started_at,
            duration_ms: u32::try_from(now.ms_since(started_at)).unwrap_or(0),
            outcome: Outcome::Lost,
            request: None,
            response: None,
            request_id: None,
        };
        self.end_call(lost, now);
    }

    /// Takes in a call: the test has ended with it, or waits for the next one.
    fn end_call(&mut self, attempt: Attempt, now: Timestamp) {
        let contract = self.definition.contract;
        let standing = RetryTerms {
            contract,
            retry: self.retry,
            schedule_s: Some(TEST_WAITS_S),
            scheduled_attempts: attempt.number,
            seed: self.seq.0.cast_unsigned(),
            // No test is a second 410.
            gone_disables: !self.definition.confirm_gone,
        };
        (self.status, self.next_at) = match decide(standing, &attempt.outcome, attempt.response.as_ref(), now)
        {
            Decision::Delivered => (TestStatus::Completed, None),
            Decision::Wait { next_at } if next_at.ms_since(now) <= i64::from(TEST_WAIT_MAX_S) * 1_000 => {
                (TestStatus::Pending, Some(next_at))
            }
            Decision::Wait { .. } | Decision::Dead | Decision::DisableWebhook { .. } => {
                (TestStatus::Failed, None)
            }
        };
        self.waits = self.next_at.is_some();
        self.error_message =
            (self.status == TestStatus::Failed).then(|| explain::trial(contract, &attempt).headline);
        self.attempt = Some(attempt);
    }
}

/// Writes what changes of a test.
fn write<S: Sql>(sql: &S, test: &TestRow) -> Result<(), LedgerError> {
    trial::update(
        sql,
        &TrialProgress {
            seq: test.seq,
            status: test.status,
            number: test.number,
            next_at: test.next_at,
            error_message: test.error_message.as_deref(),
            attempt: test.attempt.as_ref(),
            waits: test.waits,
        },
    )
}

fn test_row(row: &Row) -> Result<TestRow, LedgerError> {
    let attempt = row.text_or_none(10)?.map(serde_json::from_str).transpose();
    Ok(TestRow {
        seq: row.seq(0)?,
        webhook: row.integer_or_none(1)?.map(Seq),
        webhook_name: row.text_or_none(2)?.map(String::from),
        status: status_of(row.text(3)?)?,
        number: row.number(4)?,
        next_at: row.timestamp_or_none(5)?,
        waits: row.flag(12)?,
        retry: row.flag(11)?,
        created_at: row.timestamp(6)?,
        error_message: row.text_or_none(7)?.map(String::from),
        definition: serde_json::from_str(row.text(8)?).map_err(damaged("a definition can't be read"))?,
        event: serde_json::from_str(row.text(9)?).map_err(damaged("a test's event can't be read"))?,
        attempt: attempt.map_err(damaged("an attempt can't be read"))?,
        variation: row.text_or_none(13)?.and_then(Variation::parse),
    })
}

#[cfg(test)]
mod tests {
    use postern_core::contract::Rendering;
    use postern_core::delivery::SentRequest;
    use postern_core::examination::Verdict;

    use super::*;
    use crate::support::build::{START, attempt, json, ledger, webhook};

    const LEASE_MS: i64 = 40_000;

    /// A test of a URL that is called once, or of a webhook.
    fn create(ledger: &mut Ledger<impl Sql>, webhook_key: Option<Seq>) -> (TestView, TestWork) {
        create_of(ledger, webhook_key, false, webhook("w", "*"))
    }

    /// A test of a URL that retries, with its first call.
    fn retrying(ledger: &mut Ledger<impl Sql>) -> (TestView, TestWork) {
        create_of(ledger, None, true, webhook("w", "*"))
    }

    fn create_of(
        ledger: &mut Ledger<impl Sql>,
        webhook: Option<Seq>,
        retry: bool,
        definition: Definition,
    ) -> (TestView, TestWork) {
        let draft = TestDraft {
            webhook,
            webhook_name: webhook.map(|_key| String::from("w")),
            retry,
            definition,
            kind: String::from("order.paid"),
            data: json("{}"),
            object: None,
            variation: None,
        };
        let seq = ledger.reserve(START);
        ledger.create_test(seq, draft, START).unwrap()
    }

    /// A test that does something different, with its call.
    fn differing(ledger: &mut Ledger<impl Sql>, variation: Variation) -> (TestView, TestWork) {
        let event = postern_core::contract::sample_event(&webhook("w", "*"));
        let draft = TestDraft {
            webhook: None,
            webhook_name: None,
            retry: false,
            definition: webhook("w", "*"),
            kind: event.kind,
            data: event.data,
            object: None,
            variation: Some(variation),
        };
        let seq = ledger.reserve(START);
        ledger.create_test(seq, draft, START).unwrap()
    }

    #[test]
    fn a_test_that_does_something_different_says_what_the_answer_means() {
        let mut ledger = ledger();
        let cases =
            [(200, Verdict::Failed, TestStatus::Completed), (401, Verdict::Passed, TestStatus::Failed)];
        for (status, verdict, ended_as) in cases {
            let (view, work) = differing(&mut ledger, Variation::NoSignature);
            assert_eq!((view.variation, &view.finding), (Some(Variation::NoSignature), &None));
            assert_eq!(work.variation, Some(Variation::NoSignature));
            let ended = ledger.report_test(work.test, 1, answered(status), START).unwrap().unwrap();
            assert_eq!(
                (ended.status, ended.finding.as_ref().map(|finding| finding.verdict)),
                (ended_as, Some(verdict))
            );
            assert_eq!(ledger.test(&view.id).unwrap(), ended);
        }
        let (_view, once) = differing(&mut ledger, Variation::AtOnce);
        let (_view, twice) = differing(&mut ledger, Variation::Repeated);
        assert_eq!(twice.lease_until.ms_since(once.lease_until), 10_000, "each call has its time");
        for (variation, marks) in
            [(Variation::OtherBody, "not what was signed"), (Variation::Large, "xxxxxxxx")]
        {
            let (_view, work) = differing(&mut ledger, variation);
            assert!(!work.event.data.get().contains(marks), "it is not stored");
            let ended = ledger.report_test(work.test, 1, sent(200), START).unwrap().unwrap();
            let body = ended.attempt.and_then(|attempt| attempt.request_body).unwrap_or_default();
            assert!(body.contains(marks), "{variation:?} is shown as it was sent");
        }
        let (plain, work) = create(&mut ledger, None);
        let ended = ledger.report_test(work.test, 1, answered(200), START).unwrap().unwrap();
        assert_eq!((plain.variation, ended.finding), (None, None));
    }

    /// An answer, with the request that it is to.
    fn sent(status: u16) -> Attempt {
        let request = SentRequest {
            url: String::from("https://w.example/"),
            headers: Vec::new(),
            rendering: Rendering::for_event(&webhook("w", "*"), "order.paid"),
            body_bytes: 0,
        };
        Attempt { request: Some(request), ..answered(status) }
    }

    fn answered(status: u16) -> Attempt {
        attempt(1, Outcome::Answered { status }, START)
    }

    #[test]
    fn a_test_goes_from_pending_to_completed_or_failed_with_words() {
        let mut ledger = ledger();
        for (status, expected) in
            [(204, TestStatus::Completed), (302, TestStatus::Failed), (500, TestStatus::Failed)]
        {
            let (view, work) = create(&mut ledger, None);
            assert_eq!((view.status, work.number), (TestStatus::Pending, 1));
            let ended = ledger.report_test(work.test, 1, answered(status), START).unwrap().unwrap();
            assert_eq!(ended.status, expected);
            assert_eq!(ended.error_message.is_some(), expected == TestStatus::Failed);
            assert_eq!(ledger.test(&view.id).unwrap(), ended);
            assert_eq!(
                ledger.report_test(work.test, 1, answered(200), START).unwrap(),
                None,
                "the first report counts"
            );
        }
    }

    #[test]
    fn a_receiver_that_is_gone_is_told_without_claiming_that_the_webhook_was_disabled() {
        let mut ledger = ledger();
        let (_view, work) = create(&mut ledger, None);
        let ended = ledger.report_test(work.test, 1, answered(410), START).unwrap().unwrap();
        let advice = ended.attempt.unwrap().reason.advice;
        assert!(advice.contains("nothing is disabled") && !advice.contains("Postern disabled"), "{advice}");
        assert!(!advice.contains("ten minutes"), "{advice}");
    }

    #[test]
    fn a_test_of_a_webhook_that_asks_for_a_second_410_says_so_and_retries_as_a_delivery_would() {
        let confirming = || Definition { confirm_gone: true, ..webhook("w", "*") };
        let mut ledger = ledger();
        for retry in [false, true] {
            let (_view, work) = create_of(&mut ledger, None, retry, confirming());
            let told = ledger.report_test(work.test, 1, answered(410), START).unwrap().unwrap();
            assert_eq!(told.status, if retry { TestStatus::Pending } else { TestStatus::Failed });
            let advice = told.attempt.unwrap().reason.advice;
            assert!(
                advice.contains("nothing is disabled")
                    && advice.contains("if it came again ten minutes later"),
                "{advice}"
            );
        }
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
        assert_eq!((again.works[0].number, again.changed.len()), (2, 0));
        let ended = ledger.due_tests(START.plus_ms(2 * LEASE_MS)).unwrap();
        assert!(ended.works.is_empty());
        assert_eq!(ended.changed[0].status, TestStatus::Failed);
        assert!(ledger.test(&view.id).unwrap().error_message.is_some());
        assert!(ledger.due_tests(START.plus_ms(9 * LEASE_MS)).unwrap().changed.is_empty());
    }

    #[test]
    fn a_late_report_of_the_first_call_ends_the_test() {
        let mut ledger = ledger();
        let (_view, work) = create(&mut ledger, None);
        ledger.due_tests(START.plus_ms(LEASE_MS)).unwrap();
        let later = START.plus_ms(LEASE_MS + 5);
        assert_eq!(
            ledger.report_test(work.test, 3, answered(200), later).unwrap(),
            None,
            "a call that was not made"
        );
        assert_eq!(
            ledger.report_test(work.test, 1, answered(200), later).unwrap().unwrap().status,
            TestStatus::Completed
        );
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

    /// When a test is planned to go on: nothing else is planned but that the new project is published.
    fn wake(ledger: &Ledger<impl Sql>, now: Timestamp) -> Option<Timestamp> {
        ledger.sql.run("DELETE FROM outbox", &[]).unwrap();
        ledger.next_wake(now).unwrap().map(|(at, _why)| at)
    }

    #[test]
    fn a_test_that_retries_stays_pending_until_the_receiver_takes_it() {
        let mut ledger = ledger();
        let (view, work) = retrying(&mut ledger);
        assert_eq!(
            (view.status, view.attempts, view.next_attempt_at, view.retry),
            (TestStatus::Pending, 0, None, true)
        );
        let waiting = ledger.report_test(work.test, 1, answered(503), START).unwrap().unwrap();
        assert_eq!(
            (waiting.status, waiting.attempts, waiting.error_message.as_deref()),
            (TestStatus::Pending, 1, None)
        );
        assert_eq!(
            waiting.attempt.as_ref().map(|attempt| attempt.reason.headline.as_str()),
            Some("503 Service Unavailable")
        );
        let next_at = waiting.next_attempt_at.unwrap();
        assert!((1_600..=2_400).contains(&next_at.ms_since(START)), "{next_at:?}");
        assert_eq!(
            ledger.report_test(work.test, 1, answered(503), START).unwrap(),
            None,
            "each call is recorded once"
        );
        assert_eq!(wake(&ledger, START), Some(next_at));
        assert!(ledger.due_tests(next_at.plus_ms(-1)).unwrap().works.is_empty());

        // Everything is in the database.
        let mut ledger = Ledger::open(std::rc::Rc::clone(&ledger.sql)).unwrap().unwrap();
        let due = ledger.due_tests(next_at).unwrap();
        let [again] = due.works.as_slice() else { panic!("one call: {due:?}") };
        assert_eq!((again.number, &again.message_id, due.changed.len()), (2, &work.message_id, 0));
        let under_way = ledger.test(&view.id).unwrap();
        assert_eq!((under_way.attempts, under_way.next_attempt_at), (1, None));
        let ended = ledger.report_test(work.test, 2, answered(204), next_at).unwrap().unwrap();
        assert_eq!(
            (ended.status, ended.attempts, ended.error_message, ended.next_attempt_at),
            (TestStatus::Completed, 2, None, None)
        );
        assert_eq!(wake(&ledger, next_at), None);
    }

    #[test]
    fn a_test_that_retries_has_failed_after_six_attempts_in_about_a_minute() {
        let mut ledger = ledger();
        let (view, mut work) = retrying(&mut ledger);
        let mut now = START;
        loop {
            let seen = ledger.report_test(work.test, work.number, answered(500), now).unwrap().unwrap();
            let Some(next_at) = seen.next_attempt_at else { break };
            now = next_at;
            work = ledger.due_tests(now).unwrap().works.remove(0);
        }
        let failed = ledger.test(&view.id).unwrap();
        assert_eq!((failed.status, failed.attempts), (TestStatus::Failed, 6));
        assert_eq!(failed.error_message.as_deref(), Some("500 Internal Server Error"));
        assert!((53_000..=81_000).contains(&now.ms_since(START)), "{now:?}");
    }

    #[test]
    fn what_ends_a_delivery_ends_a_test_that_retries() {
        let mut ledger = ledger();
        for (status, retry_after) in [(410, None), (503, Some("61"))] {
            let (_view, work) = retrying(&mut ledger);
            let mut attempt = answered(status);
            if let Some(seconds) = retry_after {
                let headers = vec![(String::from("retry-after"), String::from(seconds))];
                let body = String::new();
                attempt.response = Some(postern_core::delivery::ReceivedResponse {
                    status,
                    headers,
                    body,
                    ..Default::default()
                });
            }
            let ended = ledger.report_test(work.test, 1, attempt, START).unwrap().unwrap();
            assert_eq!((ended.status, ended.attempts), (TestStatus::Failed, 1), "{status}");
            assert!(ended.error_message.is_some());
        }
        assert_eq!(wake(&ledger, START), None);
    }

    #[test]
    fn a_lost_call_of_a_test_that_retries_is_one_of_its_attempts() {
        let mut ledger = ledger();
        let (view, work) = retrying(&mut ledger);
        let ended = START.plus_ms(LEASE_MS);
        let due = ledger.due_tests(ended).unwrap();
        assert_eq!((due.works.len(), due.changed.len(), due.changed[0].attempts), (0, 1, 1));
        let next_at = due.changed[0].next_attempt_at.unwrap();
        assert_eq!(
            ledger.report_test(work.test, 1, answered(500), ended).unwrap(),
            None,
            "it is a failure already"
        );
        assert_eq!(ledger.due_tests(next_at).unwrap().works[0].number, 2);
        let late = ledger.report_test(work.test, 1, answered(200), next_at).unwrap().unwrap();
        assert_eq!((late.status, late.id), (TestStatus::Completed, view.id), "the receiver has it");
        assert_eq!(ledger.report_test(work.test, 2, answered(500), next_at).unwrap(), None);
    }

    #[test]
    fn the_alarm_makes_no_more_calls_of_tests_than_it_may_have_open() {
        let mut ledger = ledger();
        let works: Vec<_> = (0..10).map(|_test| retrying(&mut ledger).1).collect();
        for work in &works {
            ledger.report_test(work.test, 1, answered(500), START).unwrap();
        }
        let later = START.plus_ms(2_400);
        let due = ledger.due_tests(later).unwrap().works;
        assert_eq!(due.len(), CALLS_AT_ONCE as usize);
        assert_eq!(wake(&ledger, later), Some(later.plus_ms(LEASE_MS)), "it does not ring in vain");
        ledger.report_test(due[0].test, 2, answered(200), later).unwrap();
        assert_eq!(wake(&ledger, later), Some(later));
        assert_eq!(ledger.due_tests(later).unwrap().works.len(), 1);
    }

    #[test]
    fn the_oldest_tests_make_room() {
        let mut ledger = ledger();
        let (ended, work) = create(&mut ledger, None);
        ledger.report_test(work.test, 1, answered(200), START).unwrap();
        let (pending, _work) = create(&mut ledger, None);
        let create_some =
            |ledger: &mut Ledger<_>, number| (0..number).for_each(|_| drop(create(ledger, None)));
        create_some(&mut ledger, TESTS_KEPT.ended - 2);
        ledger.test(&ended.id).unwrap();
        create_some(&mut ledger, 1);
        assert_eq!(ledger.test(&ended.id), Err(LedgerError::NotFound { what: "test" }));
        // One that is under way stays, until there are far too many.
        create_some(&mut ledger, TESTS_KEPT.all - TESTS_KEPT.ended);
        ledger.test(&pending.id).unwrap();
        create_some(&mut ledger, 1);
        assert_eq!(ledger.test(&pending.id), Err(LedgerError::NotFound { what: "test" }));
    }
}
