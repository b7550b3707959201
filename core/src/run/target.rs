//! The addresses that a run calls, with their credentials.

use serde::{Deserialize, Serialize};

/// One address that a run calls.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// Checked by the egress policy, in its normalised form, without credentials.
    pub url: String,
    /// The `Authorization` header: plain straight after parsing, sealed in every store.
    pub authorization: Option<String>,
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Target").field("url", &self.url).finish_non_exhaustive()
    }
}

/// The callbacks that a run carries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Webhooks {
    /// Hears of the end.
    pub finished: Target,
    /// Hears of updates.
    pub update: Option<Target>,
    /// The user name of `auth`; its password is in the targets' `authorization` only.
    pub user: Option<String>,
    /// Whether the targets had credentials that were deleted ([`Webhooks::forget_credentials`]).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub forgotten: bool,
}

/// What stands where a password was (actinia's spelling, docs/wire.md C.3).
pub const MASKED_PASSWORD: &str = "XXX";

impl Webhooks {
    /// `auth` as it may be shown: `user:XXX`.
    #[must_use]
    pub fn shown_auth(&self) -> Option<String> {
        self.user.as_ref().map(|user| format!("{user}:{MASKED_PASSWORD}"))
    }

    /// Deletes the credentials; gives whether there were any.
    pub fn forget_credentials(&mut self) -> bool {
        let had_some = self.targets_mut().filter_map(|target| target.authorization.take()).count() > 0;
        self.forgotten |= had_some;
        had_some
    }

    /// Whether a call would have to go out without the credentials that it once had. (Builds before
    /// `forgotten` deleted them as well; what they left behind is the user's name.)
    #[must_use]
    pub const fn lack_credentials(&self) -> bool {
        self.forgotten || (self.user.is_some() && self.finished.authorization.is_none())
    }

    /// The targets, for sealing.
    pub fn targets_mut(&mut self) -> impl Iterator<Item = &mut Target> {
        std::iter::once(&mut self.finished).chain(self.update.as_mut())
    }
}
