//! Credentials that nobody marked: what the name of a header, or of a parameter in a URL's query, says of its
//! value.
//!
//! A header whose name is one of a credential is protected unless somebody says `"protected": false`, is
//! hidden where an inbox or an attempt records it, and never stands in the audit log. The value of such a
//! parameter of a URL is masked in what is kept longer than the URL itself: audit entries, plans, messages of
//! runs, paths that an inbox records. The URL of a webhook is shown in full to everybody who may read the
//! project: it is an address, and many of them (Slack's, Teams') are secret as a whole.
//!
//! A name that is taken for a credential by mistake costs a word (`"protected": false`); one that is missed
//! costs a secret. So the rule is wide, and no list of products.

use crate::route;

/// What hidden values are shown as.
pub const HIDDEN: &str = "••••••••";

/// A name that holds one of these, with the marks between its words taken out, is one of a credential:
/// `X-Gitlab-Token`, `apiKey`, `Ocp-Apim-Subscription-Key`.
const PARTS: [&str; 20] = [
    "authorization",
    "authentication",
    "secret",
    "token",
    "password",
    "passwd",
    "passphrase",
    "credential",
    "apikey",
    "accesskey",
    "privatekey",
    "cookie",
    "session",
    "bearer",
    "jwt",
    "authkey",
    "oauth",
    "accesscode",
    "macaroon",
    "userpass",
];
/// A name of which one of these is a word: `X-Auth`, `x_pwd`.
const WORDS: [&str; 14] = [
    "auth", "xauth", "auth0", "auth2", "cred", "creds", "pass", "pwd", "pat", "pin", "sid", "otp", "csrf",
    "xsrf",
];
/// What stands before `key` where the key opens nothing: `Idempotency-Key`, `x-routing-key`.
const OPEN_KEYS: [&str; 20] = [
    "idempotency",
    "idempotent",
    "partition",
    "partitioning",
    "routing",
    "order",
    "ordering",
    "cache",
    "surrogate",
    "sort",
    "public",
    "primary",
    "foreign",
    "deduplication",
    "dedup",
    "group",
    "grouping",
    "message",
    "event",
    "object",
];
/// Parameters of a query that are credentials by the habits of URLs: signed links, Azure's `code` and `sig`,
/// `key`.
const PARAMETERS: [&str; 4] = ["signature", "sig", "code", "hmac"];

/// Whether a header of this name carries a credential, as far as a name can tell. Compared without case; `-`,
/// `_` and `.` are the same.
#[must_use]
pub fn is_credential_header(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let letters: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    let words: Vec<&str> =
        name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    PARTS.iter().any(|part| letters.contains(part))
        || words.iter().any(|word| WORDS.contains(word))
        || ends_in_a_key(&words)
}

fn ends_in_a_key(words: &[&str]) -> bool {
    match words {
        ["key"] => true,
        [.., before, "key"] => !OPEN_KEYS.contains(before),
        _ => false,
    }
}

/// The same for a parameter of a URL's query, by its decoded name.
#[must_use]
pub fn is_credential_parameter(name: &str) -> bool {
    let last = name.rsplit(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or(name);
    is_credential_header(name) || PARAMETERS.iter().any(|known| last.eq_ignore_ascii_case(known))
}

/// A URL, or the path of one, with the values of such parameters masked. Everything else stays byte for byte.
#[must_use]
pub fn masked_url(url: &str) -> String {
    let Some((before, rest)) = url.split_once('?') else { return String::from(url) };
    let (query, fragment) = rest.find('#').map_or((rest, ""), |at| rest.split_at(at));
    let mut masked = String::with_capacity(url.len());
    masked.push_str(before);
    let mut separator = '?';
    for part in query.split('&') {
        masked.push(separator);
        separator = '&';
        match part.split_once('=') {
            Some((name, value)) if !value.is_empty() && is_masked(name) => {
                masked.push_str(name);
                masked.push('=');
                masked.push_str(HIDDEN);
            }
            _ => masked.push_str(part),
        }
    }
    masked.push_str(fragment);
    masked
}

/// By the name as it is written in a query. A broken escape hides nothing that a receiver would not read as
/// it stands.
fn is_masked(name: &str) -> bool {
    let spaced = name.replace('+', " ");
    is_credential_parameter(route::decode_segment(&spaced).as_deref().unwrap_or(name))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_of_credentials_are_known_in_every_spelling() {
        for name in [
            "Authorization",
            "PROXY-AUTHORIZATION",
            "cookie",
            "Set-Cookie",
            "x-api-key",
            "X_API_KEY",
            "api-key",
            "apikey",
            "ApiKey",
            "X-Auth-Token",
            "x-access-token",
            "X-Amz-Security-Token",
            "X-Goog-Api-Key",
            "X-Gitlab-Token",
            "PRIVATE-TOKEN",
            "X-Vault-Token",
            "x-shopify-access-token",
            "DD-API-KEY",
            "dd-application-key",
            "Ocp-Apim-Subscription-Key",
            "x-functions-key",
            "X-Auth",
            "X-Auth-Key",
            "x-client-secret",
            "X-Webhook-Secret",
            "x-db-password",
            "x-user-passwd",
            "X-Credential",
            "x-credentials",
            "X-CSRF-Token",
            "x-session-id",
            "x-jwt-assertion",
            "x-key",
            "key",
            "X-Service-Pin",
            "authkey",
            "x-authkey",
            "XAuth",
            "x-oauth",
            "oauth2",
            "x-auth0",
            "x-creds",
            "x-cred",
            "X-Macaroon",
            "x-userpass",
            "access-code",
        ] {
            assert!(is_credential_header(name), "{name}");
        }
    }

    #[test]
    fn names_of_anything_else_are_not() {
        for name in [
            "X-Open",
            "X-A",
            "content-type",
            "user-agent",
            "Idempotency-Key",
            "x-partition-key",
            "x-routing-key",
            "surrogate-key",
            "keyword",
            "x-keyboard",
            "author",
            "x-passenger",
            "x-spin",
            "x-pattern",
            "webhook-id",
            "webhook-signature",
            "date",
            "signature",
            "signature-input",
            "digest",
            "x-request-id",
            "traceparent",
            "etag",
            "retry-after",
            "",
        ] {
            assert!(!is_credential_header(name), "{name}");
        }
    }

    #[test]
    fn credentials_in_a_query_are_masked_and_nothing_else() {
        for (url, masked) in [
            ("https://r.example/hook", "https://r.example/hook"),
            ("https://r.example/hook?a=1&token=hush&b=2", "https://r.example/hook?a=1&token=••••••••&b=2"),
            ("https://r.example/?api_key=hush#token=x", "https://r.example/?api_key=••••••••#token=x"),
            (
                "https://r.example/?apiKey=hush&ACCESS_TOKEN=hush",
                "https://r.example/?apiKey=••••••••&ACCESS_TOKEN=••••••••",
            ),
            ("https://r.example/?to%6ben=hush", "https://r.example/?to%6ben=••••••••"),
            (
                "https://r.example/?code=hush&sv=1&sig=hush",
                "https://r.example/?code=••••••••&sv=1&sig=••••••••",
            ),
            (
                "https://r.example/?X-Amz-Signature=hush&postcode=8000",
                "https://r.example/?X-Amz-Signature=••••••••&postcode=8000",
            ),
            ("https://r.example/?token=&token", "https://r.example/?token=&token"),
            ("https://r.example/?a%zz=1&key=hush=", "https://r.example/?a%zz=1&key=••••••••"),
            ("/x?password=hush?&", "/x?password=••••••••&"),
        ] {
            assert_eq!(masked_url(url), masked, "{url}");
        }
    }

    proptest! {
        #[test]
        fn a_url_without_credentials_is_left_as_it_is(url in "[a-zA-Z:/.?&=#%0-9-]{0,60}") {
            let masked = masked_url(&url);
            prop_assert!(masked == url || masked.contains(HIDDEN));
            prop_assert_eq!(&masked_url(&masked), &masked, "once is enough");
        }
    }
}
