//! What a WebSocket of the object answers without anybody being told.

use worker::{State, WebSocket, WebSocketRequestResponsePair};

/// Lets the platform answer `ping` with `pong` without waking the object.
pub(super) fn answer_pings(state: &State) {
    if let Ok(pair) = WebSocketRequestResponsePair::new("ping", "pong") {
        state.set_websocket_auto_response(&pair);
    }
}

/// Answers a close with the same code where that may be sent (RFC 6455 7.4: 1005, 1006 and 1015 may not).
pub(super) fn answer_close(socket: &WebSocket, code: usize, reason: &str) {
    let code = u16::try_from(code).ok().filter(|code| may_be_sent(*code)).unwrap_or(1000);
    // A socket that is closed already is not a failure.
    let _closed_already = socket.close(Some(code), Some(reason));
}

const fn may_be_sent(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
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
