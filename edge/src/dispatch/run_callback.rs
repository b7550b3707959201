//! Calls of runs: their callbacks, and the probes of their addresses. They are few, and no queue knows them.

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use postern_core::contract;
use postern_core::delivery::{self, Outcome};
use postern_core::egress;
use postern_core::run::{
    self, CALL_TIMEOUT_S, CallRecord, CallbackAttempt, CallbackKind, Next, Target, Webhooks,
};
use postern_core::webhook::ProjectName;
use postern_ledger::RunCall;

use super::dispatcher::Dispatcher;
use crate::clock;
use crate::log;
use crate::project_do::call;
use crate::project_do::runs::ReportRunCall;
use crate::seal::{self, Owner};
use crate::sender::{self, Exchange, Pace};

impl Dispatcher {
    /// Makes the calls of runs, reports each at once, and goes on with those that follow.
    pub(crate) async fn run_calls(self, project: ProjectName, calls: Vec<RunCall>) {
        let mut under_way: FuturesUnordered<_> =
            calls.into_iter().map(|call| self.run_call(&project, call)).collect();
        while let Some(following) = under_way.next().await {
            under_way.extend(following.into_iter().map(|call| self.run_call(&project, call)));
        }
    }

    /// One call of a run's callback; gives those that follow at once.
    async fn run_call(&self, project: &ProjectName, call: RunCall) -> Vec<RunCall> {
        let fields: [(&str, &dyn std::fmt::Display); 2] =
            [("project", &project.as_str()), ("run", &call.sealed_under)];
        if call.lease_until.ms_since(clock::now()) < i64::from(CALL_TIMEOUT_S) * 1_000 {
            log::warn(&self.id, "a run's callback was left to its lease: there was no time for it", &fields);
            return Vec::new();
        }
        let owner = Owner { project, id: &call.sealed_under };
        let sealed = call.target.authorization.as_deref();
        let exchange = match sealed
            .map(|sealed| seal::open_text(&self.settings.keyring, owner, seal::AUTHORIZATION, sealed))
            .transpose()
        {
            Ok(authorization) => {
                let target = Target { url: call.target.url.clone(), authorization };
                self.call_target(&target, &call.message_id, call.body.as_deref()).await
            }
            Err(fault) => {
                Exchange::not_made(Outcome::PlatformFailed { message: format!("a stored secret {fault}") })
            }
        };
        let retry_after =
            exchange.response.as_ref().and_then(|response| delivery::retry_after(response, clock::now()));
        let attempt = CallbackAttempt {
            number: call.number,
            started_at: exchange.started_at,
            duration_ms: exchange.duration_ms,
            answer: CallbackAttempt::kept(exchange.response.as_ref()),
            retry_after_s: None,
            body_note: exchange.response.and_then(|response| response.body_note),
            outcome: exchange.outcome,
            request_id: Some(String::from(self.id.as_str())),
        };
        let attempt = Box::new(CallRecord::new(attempt, retry_after));
        let report = ReportRunCall { run: call.run, kind: call.kind, number: call.number, attempt };
        match call::ask_as_postern(&self.env, &self.id, project, report).await {
            Ok(calls) => calls,
            Err(error) => {
                log::warn(
                    &self.id,
                    "a run's callback could not be reported; its lease will end",
                    &[("error", &error)],
                );
                Vec::new()
            }
        }
    }

    /// Looks whether the addresses of a run answer, `finished` first; gives what the run says where one
    /// does not. Their credentials are plain.
    pub(crate) async fn probe(&self, webhooks: &Webhooks) -> Option<String> {
        for kind in [CallbackKind::ProbeFinished, CallbackKind::ProbeUpdate] {
            let Some(target) = kind.target(webhooks) else { continue };
            let exchange = self.call_target(target, "", None).await;
            // Somebody waits for the answer: each is called once.
            let standing = run::CallTerms { kind, tries: u32::MAX, schedule_s: None, seed: 0 };
            if run::decide(standing, &exchange.outcome, None) != Next::Delivered {
                return Some(run::not_accessible(kind.field(), &target.url));
            }
        }
        None
    }

    /// A GET, or a POST of `body`, to an address of a run whose credentials are plain.
    async fn call_target(&self, target: &Target, message_id: &str, body: Option<&str>) -> Exchange {
        let url = match egress::check(&target.url, &self.policy) {
            Ok(checked) => checked.url,
            Err(refusal) => return Exchange::not_made(Outcome::Blocked { message: refusal.to_string() }),
        };
        let mut headers = vec![(String::from("user-agent"), String::from(contract::USER_AGENT))];
        let mut header = |name: &str, value: String| headers.push((String::from(name), value));
        header("accept", String::from(contract::ACCEPT));
        if let Some(authorization) = &target.authorization {
            header("authorization", authorization.clone());
        }
        let Some(body) = body else { return sender::get(&url, headers, CALL_TIMEOUT_S).await };
        header("content-type", String::from("application/json"));
        header("webhook-id", String::from(message_id));
        header("webhook-timestamp", clock::now().unix_s().to_string());
        let callback = contract::Callback { headers, shown_headers: Vec::new(), body: String::from(body) };
        sender::post(&url, &callback, Pace::AtOnce, CALL_TIMEOUT_S).await
    }
}
