//! What is said of a run: by its creator, and by its executor.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::state::{Progress, RunState};
use super::target::Webhooks;

/// Characters of a message at most.
pub const MESSAGE_CHARS_MAX: usize = 4_000;

/// What a run is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum RunMode {
    /// An executor does it.
    #[default]
    Work,
    /// Only its chain and its callbacks are looked at; nobody is offered it (actinia's validation).
    Validation,
}

/// Where a run came in: what its status says of itself in actinia's words (`facade::actinia`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// `https://host` of the request that created the run; addresses in callbacks start with it.
    pub origin: String,
    /// The path of that request.
    pub path: String,
    /// What actinia calls the resource behind that path.
    pub endpoint: String,
}

/// A new run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RunDraft {
    /// What to do, as its creator wrote it.
    pub chain: Box<RawValue>,
    /// Whom to call.
    pub webhooks: Option<Webhooks>,
    /// For people and for executors.
    pub labels: std::collections::BTreeMap<String, String>,
    /// What it is for.
    pub mode: RunMode,
    /// Where it came in.
    pub entry: Entry,
    /// Why it can't be done at all: it ends in an error at once then, and no callback is made.
    pub refusal: Option<String>,
}

/// What an executor says while it works. What is `None` stays.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct RunUpdate {
    /// The claim under which it works.
    pub claim: Option<u32>,
    /// In words.
    pub message: Option<String>,
    /// How far it is.
    pub progress: Option<Progress>,
    /// Entries that the log gains.
    pub log: Vec<Box<RawValue>>,
}

impl RunUpdate {
    /// Whether it says nothing, and only renews the lease.
    #[must_use]
    pub const fn is_heartbeat(&self) -> bool {
        self.message.is_none() && self.progress.is_none() && self.log.is_empty()
    }
}

/// What an executor says at the end.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RunEnd {
    /// The claim under which it worked.
    pub claim: Option<u32>,
    /// Never [`RunState::Accepted`] or [`RunState::Running`].
    pub outcome: RunState,
    /// In words.
    pub message: Option<String>,
    /// What came of it.
    pub results: Option<Box<RawValue>>,
    /// Entries that the log gains.
    pub log: Vec<Box<RawValue>>,
}
