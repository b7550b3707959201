//! `GET /v1/projects/{project}/live`: the live feed, a WebSocket that the project object holds.
//!
//! A browser can set no header on a WebSocket, and a token must not stand in a URL, so the token may come as a
//! subprotocol: `Sec-WebSocket-Protocol: postern.v1, bearer.<token>`. A subprotocol is an HTTP token (RFC 6455 4.1), which
//! can't hold `/`, `=` or a space; `ADMIN_TOKEN` may, so `bearer64.<base64url of the token>` is understood as well.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use postern_core::api::live::SUBPROTOCOL;
use postern_core::problem::ProblemType;
use postern_core::webhook::ProjectName;
use worker::{Env, Response};

use super::caller;
use super::problem::ApiError;
use super::request::{Incoming, token_of};
use crate::config::Settings;
use crate::project_do::call;
use crate::project_do::command::Command;

/// In front of the token in a subprotocol.
const BEARER: &str = "bearer.";
/// In front of the token's base64url, without padding.
const BEARER_64: &str = "bearer64.";

/// 101; 401, 403, 404; 422 without an upgrade.
pub(super) async fn listen(env: &Env, incoming: &Incoming, project: ProjectName) -> Result<Response, ApiError> {
    let is_upgrade = incoming.header("upgrade").is_some_and(|text| text.eq_ignore_ascii_case("websocket"));
    let offered = incoming.header("sec-websocket-protocol").unwrap_or_default();
    let token = token_of(incoming.authorization(), &["Bearer"]).map(String::from).or_else(|| offered_token(&offered));
    let caller = caller(&*Settings::of(env)?, token.as_deref(), &project)?;
    if !is_upgrade {
        return Err(ApiError::problem(ProblemType::InvalidInput, "this is a WebSocket: connect with Upgrade: websocket"));
    }
    let response = call::upgrade(env, &incoming.call(project, caller, Command::Listen)).await?;
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

fn offered_token(offered: &str) -> Option<String> {
    protocols(offered).find_map(|protocol| match protocol.strip_prefix(BEARER_64) {
        Some(encoded) => String::from_utf8(URL_SAFE_NO_PAD.decode(encoded).ok()?).ok(),
        None => protocol.strip_prefix(BEARER).map(String::from),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_may_be_offered_as_a_subprotocol() {
        let check = |offered: &str, token: Option<&str>| assert_eq!(offered_token(offered).as_deref(), token, "{offered}");
        check("postern.v1, bearer.pst_p1_x", Some("pst_p1_x"));
        check("bearer.a,postern.v1", Some("a"));
        check("postern.v1", None);
        check("", None);
    }

    #[test]
    fn a_token_of_any_characters_may_be_offered_in_base64url() {
        let token = "a/b=c d+ü~";
        let offered = format!("postern.v1, bearer64.{}", URL_SAFE_NO_PAD.encode(token));
        assert_eq!(offered_token(&offered).as_deref(), Some(token));
        assert_eq!(offered_token("bearer64.!"), None);
        assert_eq!(offered_token("bearer64._w"), None, "not UTF-8");
    }
}
