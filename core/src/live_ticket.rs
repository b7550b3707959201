//! Tickets for the live feed: what a browser offers in the place of a token.
//!
//! A browser can set no header on a WebSocket, and what it can set (the URL, the subprotocols) stands in the
//! platform's logs. So the page asks for a ticket with its token in `Authorization`, and offers the ticket as
//! the subprotocol `ticket.<ticket>`. It opens one connection within [`LIFE_MS`] and is worth nothing
//! afterwards, in whatever log it stands.

use crate::token::{self, SECRET_BYTES};

/// Milliseconds that a ticket may be used for.
pub const LIFE_MS: i64 = 30_000;
/// In front of the ticket in a subprotocol.
pub const SUBPROTOCOL_PREFIX: &str = "ticket.";
/// Characters of a ticket: base32 of its bytes.
const CHARS: usize = 52;
/// In front of a token that older pages offered.
const TOKEN_PREFIXES: [&str; 2] = ["bearer.", "bearer64."];

/// A new ticket from 32 random bytes. Only [`token::hash`] of it is stored.
#[must_use]
pub fn mint(random: &[u8; SECRET_BYTES]) -> String {
    token::base32_lower(random)
}

/// What a client shows of itself in `Sec-WebSocket-Protocol`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offered<'a> {
    /// Nothing: the list holds ordinary subprotocols only.
    Nothing,
    /// One ticket, by its form.
    Ticket(&'a str),
    /// Something that can't be a ticket, or more than one.
    Wrong,
    /// A token, which has no place there.
    Token,
}

/// Everything in the header's value that is there to open something, whatever it is.
pub fn credentials(protocols: &str) -> impl Iterator<Item = &str> {
    let starts = |protocol: &&str| {
        protocol.starts_with(SUBPROTOCOL_PREFIX)
            || TOKEN_PREFIXES.iter().any(|prefix| protocol.starts_with(prefix))
    };
    protocols.split(',').map(str::trim).filter(starts)
}

/// Reads the header's value, a list with commas (RFC 6455 section 4.1).
#[must_use]
pub fn offered(protocols: &str) -> Offered<'_> {
    let mut found = Offered::Nothing;
    for protocol in protocols.split(',').map(str::trim) {
        if TOKEN_PREFIXES.iter().any(|prefix| protocol.starts_with(prefix)) {
            return Offered::Token;
        }
        let Some(ticket) = protocol.strip_prefix(SUBPROTOCOL_PREFIX) else { continue };
        let is_formed =
            ticket.len() == CHARS && ticket.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'2'..=b'7'));
        found = if is_formed && found == Offered::Nothing { Offered::Ticket(ticket) } else { Offered::Wrong };
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_there_to_open_something_is_a_credential() {
        let found = |protocols| credentials(protocols).collect::<Vec<_>>();
        assert_eq!(
            found("postern.v1, ticket.a,bearer.b , bearer64.Yw"),
            ["ticket.a", "bearer.b", "bearer64.Yw"]
        );
        assert!(found("postern.v1, other").is_empty() && found("").is_empty());
    }

    #[test]
    fn a_ticket_is_found_among_the_subprotocols() {
        let ticket = mint(&[9; SECRET_BYTES]);
        assert_eq!(offered(&format!("postern.v1, {SUBPROTOCOL_PREFIX}{ticket}")), Offered::Ticket(&ticket));
        assert_eq!(offered(&format!("{SUBPROTOCOL_PREFIX}{ticket},postern.v1")), Offered::Ticket(&ticket));
        assert_eq!(offered("postern.v1"), Offered::Nothing);
        assert_eq!(offered(""), Offered::Nothing);
    }

    #[test]
    fn what_can_be_no_ticket_is_wrong_and_a_token_is_told_apart() {
        let ticket = mint(&[9; SECRET_BYTES]);
        let two = format!("ticket.{ticket}, ticket.{ticket}");
        for offer in [
            "ticket.",
            "ticket.abc",
            &format!("ticket.{}", ticket.to_uppercase()),
            &two,
            &format!("ticket.x, ticket.{ticket}"),
        ] {
            assert_eq!(offered(offer), Offered::Wrong, "{offer}");
        }
        for offer in ["postern.v1, bearer.pst_p1_x", "bearer64.YQ", &format!("ticket.{ticket}, bearer.x")] {
            assert_eq!(offered(offer), Offered::Token, "{offer}");
        }
    }
}
