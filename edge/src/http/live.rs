//! `/v1/projects/{project}/live`: the live feed, a WebSocket that the project object holds, and the tickets
//! that open it.
//!
//! A program shows its token in `Authorization`. A browser can set no header on a WebSocket, and the
//! platform's logs keep URL and subprotocols as they are, so a page offers a ticket instead
//! ([`postern_core::live_ticket`]): spent with the connection that it opens. A token among the subprotocols
//! is refused.

use postern_core::api::live::{LiveTicket, SUBPROTOCOL};
use postern_core::live_ticket::{self, Offered};
use postern_core::problem::{Problem, ProblemType};
use postern_core::query;
use postern_core::token;
use postern_core::webhook::ProjectName;
use worker::{Env, Response};

use super::credential::token_of;
use super::guard;
use super::problem::{Answer, ApiError};
use super::request::Incoming;
use crate::caller::Caller;
use crate::clock;
use crate::config::Settings;
use crate::project_do::call;
use crate::project_do::listening::Listening;
use crate::project_do::live_tickets::CreateLiveTicket;
use crate::session::{Session, caller};

/// `POST tickets`: 201 with the ticket, the only time that it is shown; 429 where too many wait to be used.
pub(crate) async fn create_ticket(session: &mut Session<'_>) -> Result<Answer, ApiError> {
    let ticket = live_ticket::mint(&clock::random()?);
    let made = session.ask(CreateLiveTicket { hash: token::hash(&ticket) }).await?;
    guard::expect(&ticket);
    Answer::json(201, &LiveTicket { ticket, expires_at: made.expires_at })
}

/// 101; 401, 403, 404; 422 without an upgrade, and for a parameter; 429, 503.
pub(crate) async fn listen(
    env: &Env,
    incoming: &Incoming,
    project: ProjectName,
) -> Result<Response, ApiError> {
    let is_upgrade = incoming.header("upgrade").is_some_and(|text| text.eq_ignore_ascii_case("websocket"));
    let offered = incoming.header("sec-websocket-protocol").unwrap_or_default();
    let (caller, listening) = match shown(incoming.authorization(), &offered)? {
        Shown::Token(token) => {
            let caller = caller(&*Settings::of(env)?, token, &project)?;
            incoming.standing.claim(&project, &caller);
            (caller, Listening::Listen)
        }
        Shown::Ticket(ticket) => (Caller::Postern, Listening::ListenWithTicket { hash: token::hash(ticket) }),
    };
    query::none(incoming.parts().query).map_err(Problem::invalid)?;
    if !is_upgrade {
        return Err(ApiError::problem(
            ProblemType::InvalidInput,
            "this is a WebSocket: connect with Upgrade: websocket",
        ));
    }
    let upgraded = call::upgrade(env, &incoming.call(project, caller, listening)).await;
    let response = incoming.standing.learn_from(upgraded)?;
    let socket = response
        .websocket()
        .ok_or_else(|| ApiError::Internal(String::from("the project opened no socket")))?;
    let mut response = Response::from_websocket(socket)?;
    if offered.split(',').any(|protocol| protocol.trim() == SUBPROTOCOL) {
        response.headers_mut().set("sec-websocket-protocol", SUBPROTOCOL)?;
    }
    Ok(response)
}

/// What a listener shows of itself.
#[derive(Debug, PartialEq, Eq)]
enum Shown<'a> {
    /// The token of `Authorization`, if any.
    Token(Option<&'a str>),
    /// A ticket among the subprotocols.
    Ticket(&'a str),
}

/// The one credential of a listener: the router has refused a request with several
/// (`standing::Shown::Several`).
///
/// # Errors
/// 401 for a token among the subprotocols, and for what can't be a ticket.
fn shown<'a>(authorization: Option<&'a str>, offered: &'a str) -> Result<Shown<'a>, ApiError> {
    let unauthorized = |detail| Err(ApiError::problem(ProblemType::Unauthorized, detail));
    match live_ticket::offered(offered) {
        Offered::Nothing => Ok(Shown::Token(token_of(authorization, &["Bearer"]))),
        Offered::Ticket(ticket) => Ok(Shown::Ticket(ticket)),
        Offered::Wrong => unauthorized(
            "this is not a ticket: POST live/tickets gives one, to be offered as ticket.<ticket>",
        ),
        Offered::Token => unauthorized(
            "a token is not accepted as a subprotocol, because logs keep it: offer a ticket of POST \
             live/tickets as ticket.<ticket>, or send Authorization: Bearer <token> from a program",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::standing;

    fn refused(authorization: Option<&str>, offered: &str) -> String {
        match shown(authorization, offered) {
            Err(ApiError::Problem(problem)) if problem.status == 401 => problem.detail,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_listener_shows_a_token_in_its_header_or_a_ticket_among_the_subprotocols() {
        let ticket = live_ticket::mint(&[7; 32]);
        let offer = format!("postern.v1, ticket.{ticket}");
        assert_eq!(shown(Some("Bearer abc"), "postern.v1").unwrap(), Shown::Token(Some("abc")));
        assert_eq!(shown(None, "").unwrap(), Shown::Token(None));
        assert_eq!(shown(None, &offer).unwrap(), Shown::Ticket(&ticket));
    }

    #[test]
    fn the_router_refuses_a_ticket_beside_a_token_before_it_comes_here() {
        let offer = format!("postern.v1, ticket.{}", live_ticket::mint(&[7; 32]));
        for authorization in ["Bearer abc", "Basic cDE6eA==", "Token abc"] {
            assert_eq!(
                standing::Shown::of(Some(authorization), Some(&offer)),
                standing::Shown::Several,
                "{authorization}"
            );
        }
    }

    #[test]
    fn a_token_among_the_subprotocols_is_refused_with_the_way_that_is_right() {
        for offer in ["postern.v1, bearer.pst_p1_x", "bearer64.YQ"] {
            for authorization in [None, Some("Bearer abc")] {
                assert!(refused(authorization, offer).contains("POST live/tickets"), "{offer}");
            }
        }
        assert!(refused(None, "ticket.short").contains("is not a ticket"));
    }
}
