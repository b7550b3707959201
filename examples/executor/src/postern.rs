//! The four calls that an executor makes.

use std::time::Duration;

use serde_json::{Value, json};
use ureq::Agent;

/// Longer than any answer takes, and shorter than a lease.
const TIMEOUT: Duration = Duration::from_secs(15);

/// A project's runs.
pub(crate) struct Postern {
    agent: Agent,
    base: String,
    authorization: String,
}

/// A run that was claimed.
pub(crate) struct Run {
    /// `run_…`
    pub(crate) id: String,
    /// The number of the claim.
    pub(crate) claim: Value,
    /// What is to be done.
    pub(crate) chain: Value,
}

/// Whether Postern took what was said.
pub(crate) enum Heard {
    /// It did.
    Yes,
    /// 409: the run is over, or somebody else's.
    Refused(String),
    /// Anything else went wrong.
    Failed(String),
}

impl Postern {
    /// The runs of `project` at `base`.
    pub(crate) fn new(base: &str, project: &str, token: &str) -> Self {
        let agent = Agent::config_builder()
            .timeout_global(Some(TIMEOUT))
            .http_status_as_error(false)
            .proxy(None)
            .build()
            .into();
        Self {
            agent,
            base: format!("{}/v1/projects/{project}/runs", base.trim_end_matches('/')),
            authorization: format!("Bearer {token}"),
        }
    }

    /// Claims a run for `lease_s` seconds; `None` if no run waits.
    pub(crate) fn claim(&self, lease_s: u32) -> Result<Option<Run>, String> {
        match self.post("/claim", &json!({ "lease_s": lease_s }))? {
            (200, body) => {
                let id = body["id"].as_str().ok_or("a claim without an id")?.to_owned();
                Ok(Some(Run { id, claim: body["claim"].clone(), chain: body["chain"].clone() }))
            }
            (204, _) => Ok(None),
            (status, body) => Err(format!("claim: {status} {body}")),
        }
    }

    /// Says how far the run is, which renews the lease.
    pub(crate) fn update(&self, run: &Run, body: &Value) -> Heard {
        self.say(run, "updates", body)
    }

    /// Says how the run ended.
    pub(crate) fn finish(
        &self,
        run: &Run,
        outcome: &str,
        message: &str,
        results: &Value,
        log: &[Value],
    ) -> Heard {
        self.say(
            run,
            "finish",
            &json!({ "outcome": outcome, "message": message, "results": results, "log": log }),
        )
    }

    fn say(&self, run: &Run, what: &str, body: &Value) -> Heard {
        let mut body = body.clone();
        body["claim"] = run.claim.clone();
        match self.post(&format!("/{}/{what}", run.id), &body) {
            Ok((202, _)) => Heard::Yes,
            Ok((409, body)) => Heard::Refused(body["detail"].as_str().unwrap_or("refused").to_owned()),
            Ok((status, body)) => Heard::Failed(format!("{what}: {status} {body}")),
            Err(fault) => Heard::Failed(fault),
        }
    }

    /// The answer's status, and its body where that is JSON.
    fn post(&self, path: &str, body: &Value) -> Result<(u16, Value), String> {
        let url = format!("{}{path}", self.base);
        let request = self
            .agent
            .post(&url)
            .header("authorization", &self.authorization)
            .header("content-type", "application/json");
        let mut response = request.send(body.to_string()).map_err(|fault| format!("{url}: {fault}"))?;
        let text = response.body_mut().read_to_string().map_err(|fault| format!("{url}: {fault}"))?;
        Ok((response.status().as_u16(), serde_json::from_str(&text).unwrap_or_default()))
    }
}
