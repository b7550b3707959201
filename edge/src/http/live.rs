//! `GET /v1/projects/{project}/live`: the live feed, a WebSocket that the project object holds.
//!
//! A browser can set no header on a WebSocket, and a token must not stand in a URL, so the token may come as a
//! subprotocol: `Sec-WebSocket-Protocol: postern.v1, bearer.<token>`.

use postern_core::api::live::SUBPROTOCOL;
use postern_core::problem::ProblemType;
use postern_core::webhook::ProjectName;
use worker::{Env, Response};

use super::caller;
use super::problem::ApiError;
use super::request::{Incoming, token_of};
use crate::config::Settings;
use crate::project_do::call;
use crate::project_do::command::{Call, Command};

/// In front of the token in a subprotocol.
const BEARER: &str = "bearer.";

/// 101; 401, 403, 404; 422 without an upgrade.
pub(super) async fn listen(env: &Env, incoming: &Incoming, project: ProjectName) -> Result<Response, ApiError> {
    let is_upgrade = incoming.header("upgrade").is_some_and(|text| text.eq_ignore_ascii_case("websocket"));
    let offered = incoming.header("sec-websocket-protocol").unwrap_or_default();
    let authorization = incoming.header("authorization");
    let token = token_of(authorization.as_deref(), &["Bearer"]).or_else(|| offered_token(&offered));
    let caller = caller(&*Settings::of(env)?, token, &project)?;
    if !is_upgrade {
        return Err(ApiError::problem(ProblemType::InvalidInput, "this is a WebSocket: connect with Upgrade: websocket"));
    }
    let call =
        Call { project, caller, request_id: incoming.id.clone(), origin: String::from(incoming.parts().origin), command: Command::Listen };
    let response = call::upgrade(env, &call).await?;
    if response.status_code() != 101 {
        return Ok(response);
    }
    let socket = response.websocket().ok_or_else(|| ApiError::Internal(String::from("the project opened no socket")))?;
    let mut response = Response::from_websocket(socket)?;
    if protocols(&offered).any(|protocol| protocol == SUBPROTOCOL) {
        response.headers_mut().set("sec-websocket-protocol", SUBPROTOCOL)?;
    }
    Ok(response)
}

fn protocols(offered: &str) -> impl Iterator<Item = &str> {
    offered.split(',').map(str::trim)
}

fn offered_token(offered: &str) -> Option<&str> {
    protocols(offered).find_map(|protocol| protocol.strip_prefix(BEARER))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_may_be_offered_as_a_subprotocol() {
        assert_eq!(offered_token("postern.v1, bearer.pst_p1_x"), Some("pst_p1_x"));
        assert_eq!(offered_token("bearer.a,postern.v1"), Some("a"));
        assert_eq!(offered_token("postern.v1"), None);
        assert_eq!(offered_token(""), None);
    }
}
