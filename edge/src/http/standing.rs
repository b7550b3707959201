//! Who calls: what a request shows of its caller, whom it claims to be, and whether a project has confirmed
//! it.
//!
//! Until then nobody is told anything about their request but that the token is wrong (`router::vouched`),
//! and what they get counts as a guess (`http::guard`).

use std::cell::RefCell;
use std::rc::Rc;

use postern_core::live_ticket;
use postern_core::webhook::ProjectName;

use super::credential::token_of;
use super::problem::ApiError;
use crate::caller::Caller;
use crate::project_do::call::CallError;

/// Schemes of `Authorization` that one of the APIs takes.
pub(crate) const SCHEMES: [&str; 3] = ["Bearer", "Token", "Basic"];

/// The credentials of a request, wherever it may carry one in its headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    /// There is none.
    Nothing,
    /// The value of `Authorization`, or a subprotocol that holds a token.
    One(String),
    /// A ticket among the subprotocols.
    Ticket(String),
    /// There are several. One of them could be a guess that hides behind the other, so none is looked at.
    Several,
}

impl Shown {
    /// What the headers `Authorization` and `Sec-WebSocket-Protocol` show. The platform joins a header that
    /// is repeated by commas: a scheme that comes after one starts another credential.
    pub(crate) fn of(authorization: Option<&str>, protocols: Option<&str>) -> Self {
        let authorization = authorization.map(str::trim).filter(|value| !value.is_empty());
        let starts_anew = |part: &str| token_of(Some(part), &SCHEMES).is_some();
        let is_repeated = authorization.is_some_and(|value| value.split(',').skip(1).any(starts_anew));
        let mut offered = protocols.into_iter().flat_map(live_ticket::credentials);
        match (authorization, offered.next(), offered.next()) {
            (None, None, _) => Self::Nothing,
            (Some(only), None, _) if !is_repeated => Self::One(String::from(only)),
            (None, Some(only), None) => match only.strip_prefix(live_ticket::SUBPROTOCOL_PREFIX) {
                Some(ticket) => Self::Ticket(String::from(ticket)),
                None => Self::One(String::from(only)),
            },
            (Some(_), _, _) | (None, Some(_), Some(_)) => Self::Several,
        }
    }

    /// The only credential, where it may be shown again and again.
    pub(crate) fn one(&self) -> Option<&str> {
        match self {
            Self::One(shown) => Some(shown),
            Self::Nothing | Self::Ticket(_) | Self::Several => None,
        }
    }

    /// The ticket, which opens once.
    pub(crate) fn ticket(&self) -> Option<&str> {
        match self {
            Self::Ticket(ticket) => Some(ticket),
            Self::Nothing | Self::One(_) | Self::Several => None,
        }
    }
}

#[derive(Debug, Default)]
struct State {
    claim: Option<(ProjectName, Caller)>,
    is_verified: bool,
}

/// What is known of the caller of one request. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Standing(Rc<RefCell<State>>);

impl Standing {
    /// The caller's credential has the form of one of `project`. Of an administrator nobody else need be
    /// asked.
    pub(crate) fn claim(&self, project: &ProjectName, caller: &Caller) {
        let mut state = self.0.borrow_mut();
        state.is_verified |= caller.is_admin();
        state.claim = Some((project.clone(), caller.clone()));
    }

    /// The credential is right.
    pub(crate) fn verify(&self) {
        self.0.borrow_mut().is_verified = true;
    }

    /// Whether the project knew the caller, by what it said; gives what it said.
    ///
    /// # Errors
    /// Those of `outcome`.
    pub(crate) fn learn_from<T>(&self, outcome: Result<T, CallError>) -> Result<T, ApiError> {
        if outcome.as_ref().map_or_else(CallError::is_of_a_known_caller, |_reply| true) {
            self.verify();
        }
        Ok(outcome?)
    }

    /// Whether the credential is known to be right.
    pub(crate) fn is_verified(&self) -> bool {
        self.0.borrow().is_verified
    }

    /// Whom the caller claims to be, as far as anybody has looked.
    pub(crate) fn claimed(&self) -> Option<(ProjectName, Caller)> {
        self.0.borrow().claim.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_shows_one_credential_or_several() {
        let one = |text: &str| Shown::One(String::from(text));
        for (authorization, protocols, shown) in [
            (None, None, Shown::Nothing),
            (Some(""), Some("postern.v1"), Shown::Nothing),
            (Some("Bearer a"), None, one("Bearer a")),
            (Some("Basic cDE6eA=="), Some("postern.v1, other"), one("Basic cDE6eA==")),
            (None, Some("postern.v1, bearer.a"), one("bearer.a")),
            (Some("Bearer a"), Some("postern.v1, bearer.b"), Shown::Several),
            (Some("Basic cDE6eA=="), Some("bearer64.YQ"), Shown::Several),
            (None, Some("bearer.a, bearer.b"), Shown::Several),
            (None, Some("postern.v1, ticket.a"), Shown::Ticket(String::from("a"))),
            (None, Some("ticket.a, ticket.b"), Shown::Several),
            (Some("Bearer a"), Some("ticket.a"), Shown::Several),
            (Some("ticket.a"), None, one("ticket.a")),
            (Some("Bearer a, Bearer b"), None, Shown::Several),
            (Some("Basic cDE6eA==,Token b"), None, Shown::Several),
            (Some("Bearer a,b, c"), None, one("Bearer a,b, c")),
        ] {
            assert_eq!(Shown::of(authorization, protocols), shown, "{authorization:?} {protocols:?}");
        }
    }

    #[test]
    fn an_administrator_is_known_and_a_token_is_not_until_it_is_verified() {
        let project = ProjectName::parse("p1").unwrap();
        let standing = Standing::default();
        standing.claim(&project, &Caller::Token(String::from("hash")));
        let shared = standing.clone();
        assert!(!standing.is_verified() && shared.claimed().is_some());
        shared.verify();
        assert!(standing.is_verified());
        let admin = Standing::default();
        admin.claim(&project, &Caller::admin("ada"));
        assert!(admin.is_verified());
    }
}
