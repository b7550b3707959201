//! The token that a request shows.

/// The token of an `Authorization` header with one of these schemes (compared without case, RFC 9110 11.1).
pub(crate) fn token_of<'a>(authorization: Option<&'a str>, schemes: &[&str]) -> Option<&'a str> {
    let (scheme, token) = authorization?.trim().split_once(' ')?;
    let token = token.trim();
    (schemes.iter().any(|known| known.eq_ignore_ascii_case(scheme)) && !token.is_empty()).then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_needs_a_known_scheme() {
        let check = |header, token| assert_eq!(token_of(header, &["Bearer", "Token"]), token, "{header:?}");
        check(Some("Bearer abc"), Some("abc"));
        check(Some("bearer  abc "), Some("abc"));
        check(Some("Token abc"), Some("abc"));
        check(Some("Basic abc"), None);
        check(Some("abc"), None);
        check(Some("Bearer "), None);
        check(None, None);
        assert_eq!(token_of(Some("Token abc"), &["Bearer"]), None);
    }
}
