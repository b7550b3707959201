//! One call: the definition, the exact bytes, the exchange, and the record of it.

use futures_util::StreamExt as _;
use futures_util::future;
use postern_core::contract::{self, Rendering, Source};
use postern_core::delivery::{Attempt, Outcome, SentRequest, Trigger};
use postern_core::egress;
use postern_core::examination::Variation;
use postern_core::time::Timestamp;
use postern_core::webhook::{Definition, ProjectName};
use postern_engine::{Bounds, Ready};
use postern_ledger::{Report, TestWork, WorkEvent};

use super::dispatcher::Dispatcher;
use crate::clock;
use crate::definitions;
use crate::log;
use crate::meter;
use crate::project_do::call;
use crate::project_do::trials::ReportTrial;
use crate::seal::{self, Owner};
use crate::sender::{self, Pace};

impl Dispatcher {
    /// Makes the calls of `tests` and reports each at once: somebody is watching.
    pub(crate) async fn run_tests(self, project: ProjectName, tests: Vec<TestWork>) {
        let runs = tests.into_iter().map(|test| self.run_test(&project, test));
        futures_util::stream::iter(runs).buffer_unordered(Bounds::PLATFORM.calls).collect::<()>().await;
    }

    async fn run_test(&self, project: &ProjectName, test: TestWork) {
        let owner = Owner { project, id: &test.sealed_under };
        let call = OneCall {
            sealed: &test.definition,
            owner,
            event: &test.event,
            message_id: &test.message_id,
            number: test.number,
            trigger: Trigger::Schedule,
            timeout_s: test.definition.timeout_s,
            variation: test.variation,
        };
        let attempt = self.examine(call).await;
        let report = ReportTrial { test: test.test, number: test.number, attempt };
        if let Err(error) = call::ask_as_postern(&self.env, &self.id, project, report).await {
            log::warn(
                &self.id,
                "a test could not be reported",
                &[("project", &project.as_str()), ("error", &error)],
            );
        }
    }

    /// The call of a test, or both of them where it makes two.
    async fn examine(&self, call: OneCall<'_>) -> Attempt {
        let is_taken = |attempt: &Attempt| matches!(attempt.outcome, Outcome::Answered { status } if contract::counts_as_delivered(call.sealed.contract, status));
        match call.variation {
            Some(Variation::Repeated) => {
                let first = self.call(call).await;
                // Where the first one fails, the second one says nothing.
                if is_taken(&first) { self.call(call).await } else { first }
            }
            Some(Variation::AtOnce) => {
                let (one, other) = future::join(self.call(call), self.call(call)).await;
                let is_answered = matches!(one.outcome, Outcome::Answered { .. });
                // The worse one; of two that failed, one that says something.
                if is_taken(&one) || !is_taken(&other) && !is_answered { other } else { one }
            }
            _ => self.call(call).await,
        }
    }

    /// One attempt of a delivery; the call may take `timeout_s`. `None`: it was not made, because the
    /// webhook is gone or cannot be known.
    pub(super) async fn attempt(&self, ready: &Ready, timeout_s: u32) -> Option<Report> {
        let Ready { project, work, event } = ready;
        let keyring = &self.settings.keyring;
        let found = definitions::find(
            &self.env,
            &self.id,
            keyring,
            project,
            work.webhook,
            &work.webhook_id,
            work.webhook_version,
        )
        .await;
        let stored = match found {
            Ok(stored) => stored?,
            Err(error) => {
                log::warn(
                    &self.id,
                    "a definition could not be found",
                    &[("webhook", &work.webhook_id), ("error", &error)],
                );
                return None;
            }
        };
        let owner = Owner { project, id: &work.webhook_id };
        let call = OneCall {
            sealed: &stored.definition,
            owner,
            event,
            message_id: &work.message_id,
            number: work.attempt,
            trigger: work.trigger,
            timeout_s,
            variation: None,
        };
        let attempt = self.call(call).await;
        meter::attempted(stored.definition.contract, &attempt.outcome, attempt.duration_ms);
        Some(Report { delivery: work.delivery, attempt })
    }

    /// One call from a sealed definition. Whatever happens becomes an attempt.
    async fn call(&self, call: OneCall<'_>) -> Attempt {
        let started_at = clock::now();
        match self.prepare(&call, started_at) {
            Ok((url, callback, request)) => {
                let pace =
                    if call.variation == Some(Variation::Slow) { Pace::InPieces } else { Pace::AtOnce };
                let exchange = sender::post(&url, &callback, pace, call.timeout_s).await;
                Attempt {
                    number: call.number,
                    trigger: call.trigger,
                    started_at: exchange.started_at,
                    duration_ms: exchange.duration_ms,
                    outcome: exchange.outcome,
                    request: Some(request),
                    response: exchange.response,
                    request_id: Some(String::from(self.id.as_str())),
                }
            }
            Err(outcome) => {
                if let Outcome::PlatformFailed { message } = &outcome {
                    log::error(
                        &self.id,
                        "a callback could not be made",
                        &[("owner", &call.owner.id), ("error", message)],
                    );
                }
                Attempt {
                    number: call.number,
                    trigger: call.trigger,
                    started_at,
                    duration_ms: 0,
                    outcome,
                    request: None,
                    response: None,
                    request_id: Some(String::from(self.id.as_str())),
                }
            }
        }
    }

    /// Everything before the network: the policy as it is now, the secrets, the exact bytes.
    fn prepare(
        &self,
        call: &OneCall<'_>,
        now: Timestamp,
    ) -> Result<(String, contract::Callback, SentRequest), Outcome> {
        let target = egress::check(&call.sealed.url, &self.policy)
            .map_err(|refusal| Outcome::Blocked { message: refusal.to_string() })?;
        let plain = seal::unseal(&self.settings.keyring, call.owner, call.sealed)
            .map_err(|fault| Outcome::PlatformFailed { message: format!("a stored secret {fault}") })?;
        let rendering = Rendering::for_event(&plain, &call.event.kind);
        let callback = self.build(&plain, &rendering, call, now)?;
        let body_bytes = u32::try_from(callback.body.len()).unwrap_or(u32::MAX);
        let request = SentRequest {
            url: target.url.clone(),
            headers: callback.shown_headers.clone(),
            rendering,
            body_bytes,
        };
        Ok((target.url, callback, request))
    }

    #[expect(clippy::unused_self, reason = "reads as one of the steps of `prepare`")]
    fn build(
        &self,
        plain: &Definition,
        rendering: &Rendering,
        call: &OneCall<'_>,
        now: Timestamp,
    ) -> Result<contract::Callback, Outcome> {
        let event = call.event;
        let source = Source {
            kind: &event.kind,
            accepted_at: event.accepted_at,
            data: &event.data,
            object: event.object.as_ref(),
        };
        let built = match call.variation {
            Some(variation) => variation.callback(plain, rendering, &source, call.message_id, now),
            None => contract::build(plain, rendering, &source, call.message_id, now),
        };
        built.map_err(|fault| Outcome::PlatformFailed { message: format!("the signing secret {fault}") })
    }
}

/// What one call is made of.
#[derive(Clone, Copy)]
struct OneCall<'a> {
    sealed: &'a Definition,
    owner: Owner<'a>,
    event: &'a WorkEvent,
    message_id: &'a str,
    number: u32,
    trigger: Trigger,
    /// Seconds that it may take.
    timeout_s: u32,
    /// What is different from a sound callback.
    variation: Option<Variation>,
}
