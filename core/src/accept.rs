//! What an `Accept` header asks for (RFC 9110 §12.5.1), as far as Postern has a choice.

/// Whether the header names this media type, and not to refuse it. Ranges (`*/*`) don't name it.
#[must_use]
pub fn names(accept: Option<&str>, media_type: &str) -> bool {
    accept.is_some_and(|accept| {
        accept.split(',').any(|part| {
            let mut parameters = part.split(';').map(str::trim);
            let is_named = parameters.next().is_some_and(|name| name.eq_ignore_ascii_case(media_type));
            is_named && !parameters.any(is_weight_of_nothing)
        })
    })
}

/// `q=0`, `q=0.000`.
fn is_weight_of_nothing(parameter: &str) -> bool {
    let weight = parameter
        .split_once('=')
        .filter(|(name, _)| name.trim().eq_ignore_ascii_case("q"))
        .map(|(_, weight)| weight.trim());
    weight.is_some_and(|weight| {
        weight.starts_with('0') && weight.bytes().all(|byte| matches!(byte, b'0' | b'.'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_named_whatever_its_case_and_place() {
        for accept in
            ["text/plain", "TEXT/Plain; charset=utf-8", "a/b;q=0.5, text/plain;q=0.1", "text/plain;q=0.01"]
        {
            assert!(names(Some(accept), "text/plain"), "{accept}");
        }
        for accept in ["", "*/*", "text/*", "text/plain;q=0", "text/plain; Q=0.000, a/b", "text/plainer"] {
            assert!(!names(Some(accept), "text/plain"), "{accept}");
        }
        assert!(!names(None, "text/plain"));
    }
}
