//! The live feed: hibernating WebSockets that are told what changed after each commit.
//!
//! A socket costs nothing while nothing happens: the platform answers its pings (`ping` → `pong`), and the
//! object may be put to sleep around it. Nothing is promised about delivery; a page that was away fetches
//! what it shows again.

use postern_core::api::live::SUBPROTOCOL;
use postern_core::operation::Operation;
use postern_core::problem::{Problem, ProblemType};
use postern_core::quota::Quota;
use postern_ledger::{Ledger, LedgerError, TicketHolder};
use worker::{Response, WebSocketPair};

use super::access::authorize;
use super::changes::Changes;
use super::listening::Listening;
use super::object::Project;
use super::question;
use super::refusal::Refusal;
use super::socket::answer_close;
use super::sql::ObjectSql;
use super::wire::Call;
use crate::clock;
use crate::config::Settings;
use crate::log::{self, RequestId};

/// Sockets of one project that are open at once, at most: the object tells each of them after every commit.
const SOCKETS_MAX: usize = 500;
/// The tag of a socket that was opened with `ADMIN_TOKEN`; one that was opened with a token has the token's
/// id.
const ADMIN_TAG: &str = "admin";
/// The code with which a socket is closed whose token was revoked or has expired.
pub(super) const TOKEN_IS_OVER: usize = 4401;

impl Project {
    /// Opens the feed for a caller who may read, or answers why not.
    pub(super) fn listen(&self, call: &Call<Listening>) -> worker::Result<Response> {
        let allowed = self.with_ledger(|ledger| listener(ledger, call));
        let caller = match allowed {
            Ok(Some(Ok(tag))) if self.state.get_websockets().len() < SOCKETS_MAX => self.with_room(tag),
            Ok(Some(Ok(_))) => Err(Problem::new(
                ProblemType::TooManyRequests,
                "too many pages listen to this project already",
            )
            .into()),
            Ok(Some(Err(refusal))) => Err(refusal),
            Ok(None) => Err(without_project(call)),
            Err(error) => Err(Refusal::Failed(error)),
        };
        let tag = match caller {
            Ok(tag) => tag,
            Err(refusal) => return refused(refusal, &call.request_id),
        };
        let pair = WebSocketPair::new()?;
        self.state.accept_websocket_with_tags(&pair.server, &[SUBPROTOCOL, &tag]);
        Response::from_websocket(pair.client)
    }

    /// The tag of a token, if it may have one more socket: one token must not take those of all others.
    fn with_room(&self, tag: String) -> Result<String, Refusal> {
        let quotas = Settings::of(&self.env)?.quotas;
        let open = self.state.get_websockets_with_tag(&tag).len() as u64;
        quotas.allow(Quota::LiveSockets, open, 1).map_err(Problem::over_quota)?;
        Ok(tag)
    }

    /// Tells every open page. Views are made only if there is one.
    pub(super) fn tell(&self, id: &RequestId, changes: Changes) {
        if changes.are_none() {
            return;
        }
        let sockets = self.state.get_websockets();
        if sockets.is_empty() {
            return;
        }
        let now = clock::now();
        let tags: Vec<Vec<String>> = sockets.iter().map(|socket| self.state.get_tags(socket)).collect();
        let told = self.with_ledger(|ledger| {
            let is_open =
                |tags: &Vec<String>| tags.iter().any(|tag| tag == ADMIN_TAG || ledger.holds_token(tag, now));
            let open: Vec<bool> = tags.iter().map(is_open).collect();
            changes.events(ledger).map(|events| (events, open))
        });
        let (events, open) = match told {
            Ok(told) => told.unwrap_or_default(),
            Err(error) => {
                log::warn(id, "the live feed could not be informed", &[("error", &error)]);
                return;
            }
        };
        let (listening, over): (Vec<_>, Vec<_>) =
            sockets.iter().zip(open).partition(|(_socket, is_open)| *is_open);
        for (socket, _) in over {
            // The token that opened it was revoked, or has expired.
            answer_close(socket, TOKEN_IS_OVER, "the token is no longer valid");
        }
        for event in &events {
            let Ok(text) = serde_json::to_string(event) else { continue };
            for (socket, _) in &listening {
                // A page that went away is not our failure.
                let _gone = socket.send_with_str(&text);
            }
        }
    }
}

/// The tag of the socket that `call` asks for: who listens. A ticket is taken, whatever follows.
fn listener(
    ledger: &mut Ledger<ObjectSql>,
    call: &Call<Listening>,
) -> Result<Result<String, Refusal>, LedgerError> {
    let now = clock::now();
    if let Listening::ListenWithTicket { hash } = &call.command {
        return Ok(match ledger.take_live_ticket(hash, now)? {
            Some(TicketHolder::Admin) => Ok(String::from(ADMIN_TAG)),
            Some(TicketHolder::Token(id)) => Ok(id),
            None => Err(wrong_ticket()),
        });
    }
    let allowed = authorize(ledger, &call.caller, Some(Operation::Listen), now);
    Ok(allowed.map(|token| token.and_then(|token| token.actor.id).unwrap_or_else(|| String::from(ADMIN_TAG))))
}

/// The answer to a listener who is refused: a problem, which the Worker makes its own.
fn refused(refusal: Refusal, id: &RequestId) -> worker::Result<Response> {
    let problem = match refusal {
        Refusal::Problem(problem) => *problem,
        Refusal::Failed(error) => {
            log::error(id, "request failed", &[("error", &error)]);
            Problem::internal()
        }
    };
    Ok(Response::from_json(&problem)?.with_status(problem.status))
}

/// The refusal if there is no such project.
fn without_project(call: &Call<Listening>) -> Refusal {
    match call.command {
        Listening::ListenWithTicket { .. } => wrong_ticket(),
        Listening::Listen => question::no_project(&call.caller, &call.project),
    }
}

fn wrong_ticket() -> Refusal {
    Refusal::from(Problem::new(
        ProblemType::Unauthorized,
        "the ticket is not one of this project, was used already, or has expired: ask for another",
    ))
}
