//! The live feed: hibernating WebSockets that are told what changed after each commit.
//!
//! A socket costs nothing while nothing happens: the platform answers its pings (`ping` → `pong`), and the object may be
//! put to sleep around it. Nothing is promised about delivery; a page that was away fetches what it shows again.

use postern_core::api::live::{LiveEvent, SUBPROTOCOL};
use postern_core::api::replay::ReplayView;
use postern_core::api::run::RunView;
use postern_core::api::test::TestView;
use postern_core::id::Seq;
use postern_core::problem::{Problem, ProblemType};
use postern_core::quota::Quota;
use worker::{Response, State, WebSocket, WebSocketPair, WebSocketRequestResponsePair};

use super::command::{Call, Command};
use super::run::{self, Refusal};
use super::{ObjectSql, Project};
use crate::clock;
use crate::config::Settings;
use crate::http::problem::{ApiError, problem_answer, respond};
use crate::log::{self, RequestId};
use postern_ledger::{Ledger, LedgerError, TicketHolder};

/// Changes that are told one by one; more of them in one commit become [`LiveEvent::Many`].
const TOLD_MAX: usize = 100;

/// Sockets of one project that are open at once, at most: the object tells each of them after every commit.
const SOCKETS_MAX: usize = 500;
/// The tag of a socket that was opened with `ADMIN_TOKEN`; one that was opened with a token has the token's id.
const ADMIN_TAG: &str = "admin";
/// The code with which a socket is closed whose token was revoked or has expired.
const TOKEN_IS_OVER: usize = 4401;

/// What a commit changed, as far as pages care.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// Deliveries, in their order.
    pub(super) deliveries: Vec<Seq>,
    /// Tests as they are now.
    pub(super) tests: Vec<TestView>,
    /// Replays as they are now.
    pub(super) replays: Vec<ReplayView>,
    /// Runs as they are now.
    pub(super) runs: Vec<RunView>,
    /// A request that an inbox recorded, ready to be sent.
    pub(super) recorded: Option<LiveEvent>,
    /// Whether webhooks were created, changed or deleted.
    pub(super) webhooks: bool,
    /// Whether a token was revoked: nobody is told of it, but who listened with it is sent away.
    pub(super) tokens: bool,
}

impl Changes {
    fn are_none(&self) -> bool {
        let Self { deliveries, tests, replays, runs, recorded, webhooks, tokens } = self;
        let is_flagged = *webhooks || *tokens;
        deliveries.is_empty()
            && tests.is_empty()
            && replays.is_empty()
            && runs.is_empty()
            && recorded.is_none()
            && !is_flagged
    }
}

/// Lets the platform answer `ping` with `pong` without waking the object.
pub(super) fn answer_pings(state: &State) {
    if let Ok(pair) = WebSocketRequestResponsePair::new("ping", "pong") {
        state.set_websocket_auto_response(&pair);
    }
}

/// Answers a close with the same code where that may be sent (RFC 6455 7.4: 1005, 1006 and 1015 may not).
pub(super) fn answer_close(socket: &WebSocket, code: usize, reason: &str) {
    let code = u16::try_from(code).ok().filter(|code| may_be_sent(*code)).unwrap_or(1000);
    // A socket that is closed already is no failure.
    let _closed_already = socket.close(Some(code), Some(reason));
}

const fn may_be_sent(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

impl Project {
    /// Opens the feed for a caller who may read, or answers why not.
    pub(super) fn listen(&self, call: &Call) -> worker::Result<Response> {
        let allowed = self.with_ledger(|ledger| listener(ledger, call));
        let caller = match allowed {
            Ok(Some(Ok(tag))) if self.state.get_websockets().len() < SOCKETS_MAX => self.with_room(tag),
            Ok(Some(Ok(_))) => Err(Problem::new(
                ProblemType::TooManyRequests,
                "too many pages listen to this project already",
            )
            .into()),
            Ok(Some(Err(refusal))) => Err(refusal),
            Ok(None) if matches!(call.command, Command::ListenWithTicket { .. }) => Err(wrong_ticket()),
            Ok(None) => run::without_project(call)
                .and_then(|reply| Err(Refusal::Failed(format!("nobody listens to {}", reply.name())))),
            Err(error) => Err(Refusal::Failed(error)),
        };
        let tag = match caller {
            Ok(tag) => tag,
            Err(refusal) => {
                let error = match refusal {
                    Refusal::Problem(problem) => ApiError::Problem(problem),
                    Refusal::Failed(error) => ApiError::Internal(error),
                };
                return Ok(respond(&problem_answer(error, &call.request_id), &call.request_id).into());
            }
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
            events(ledger, changes).map(|events| (events, open))
        });
        let (events, open) = match told {
            Ok(told) => told.unwrap_or_default(),
            Err(error) => {
                log::warn(id, "the live feed could not be told", &[("error", &error)]);
                return;
            }
        };
        let (listening, over): (Vec<_>, Vec<_>) =
            sockets.iter().zip(open).partition(|(_socket, is_open)| *is_open);
        for (socket, _) in over {
            // The token that opened it was revoked, or has expired.
            answer_close(socket, TOKEN_IS_OVER, "the token opens nothing any more");
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
fn listener(ledger: &mut Ledger<ObjectSql>, call: &Call) -> Result<Result<String, Refusal>, LedgerError> {
    let now = clock::now();
    if let Command::ListenWithTicket { hash } = &call.command {
        return Ok(match ledger.take_live_ticket(hash, now)? {
            Some(TicketHolder::Admin) => Ok(String::from(ADMIN_TAG)),
            Some(TicketHolder::Token(id)) => Ok(id),
            None => Err(wrong_ticket()),
        });
    }
    let allowed = run::authorize(ledger, &call.caller, call.command.need(), now);
    Ok(allowed.map(|token| token.and_then(|token| token.actor.id).unwrap_or_else(|| String::from(ADMIN_TAG))))
}

fn wrong_ticket() -> Refusal {
    Refusal::from(Problem::new(
        ProblemType::Unauthorized,
        "the ticket is none of this project, was used already, or has expired: ask for another",
    ))
}

fn events(ledger: &mut Ledger<ObjectSql>, changes: Changes) -> Result<Vec<LiveEvent>, LedgerError> {
    let mut events = Vec::new();
    if changes.webhooks {
        events.push(LiveEvent::Webhooks);
    }
    if changes.deliveries.len() > TOLD_MAX {
        events.push(LiveEvent::Many);
    } else if !changes.deliveries.is_empty() {
        let views = ledger.delivery_views(&changes.deliveries)?;
        events.extend(views.into_iter().map(|delivery| LiveEvent::Delivery { delivery }));
    }
    events.extend(changes.replays.into_iter().map(|replay| LiveEvent::Replay { replay: Box::new(replay) }));
    events.extend(changes.runs.into_iter().map(|run| LiveEvent::Run { run: Box::new(run) }));
    events.extend(changes.tests.into_iter().map(|test| LiveEvent::Test { test: Box::new(test) }));
    events.extend(changes.recorded);
    Ok(events)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_codes_that_may_be_sent_are_sent_back() {
        for code in [1000, 1001, 1011, 3000, 4999] {
            assert!(may_be_sent(code), "{code}");
        }
        for code in [0, 999, 1004, 1005, 1006, 1015, 2999, 5000] {
            assert!(!may_be_sent(code), "{code}");
        }
    }
}
