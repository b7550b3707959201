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
/// `X-Gitlab-Token`, `apiKey`, `X-Pass-Code`.
const PARTS: [&str; 21] = [
    "secret",
    "token",
    "password",
    "passwort",
    "passwd",
    "passphrase",
    "passcode",
    "passkey",
    "credential",
    "accesscode",
    "apikey",
    "accesskey",
    "privatekey",
    "cookie",
    "session",
    "sessid",
    "bearer",
    "jwt",
    "macaroon",
    "hmac",
    "saml",
];
/// A name of which one of these is a word, numbers behind it aside: `X-Auth`, `x_pwd`, `x-pin2`.
const WORDS: [&str; 16] = [
    "pass",
    "pwd",
    "psw",
    "pw",
    "cred",
    "creds",
    "pat",
    "pin",
    "sid",
    "otp",
    "mfa",
    "2fa",
    "csrf",
    "xsrf",
    "sign",
    "assertion",
];
/// A name of which a word ends so is one too, unless the word is in [`INNOCENT`]: `appkey`, `userpass`,
/// `totp`.
const ENDINGS: [&str; 8] = ["key", "keys", "pass", "pwd", "pw", "creds", "otp", "mfa"];
/// English words that end as a credential's name does.
const INNOCENT: [&str; 13] = [
    "monkey", "monkeys", "turkey", "donkey", "hockey", "jockey", "whiskey", "hotkey", "hotkeys", "compass",
    "overpass", "trespass", "surpass",
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
    let words = name.split(|c: char| !c.is_ascii_alphanumeric());
    let words: Vec<&str> = words
        .map(|word| word.trim_end_matches(|c: char| c.is_ascii_digit()))
        .filter(|word| !word.is_empty())
        .collect();
    PARTS.iter().any(|part| letters.contains(part))
        || words.iter().any(|word| WORDS.contains(word) || speaks_of_auth(word))
        || words.iter().enumerate().any(|(at, word)| {
            let is_last = at + 1 == words.len();
            ENDINGS.iter().any(|ending| {
                let before =
                    if word == ending { at.checked_sub(1).and_then(|at| words.get(at)) } else { None };
                word.strip_suffix(ending).is_some_and(|start| {
                    // A key is one where the name ends with it: `x-key-id` says which.
                    (is_last || !ending.starts_with("key"))
                        && !INNOCENT.contains(word)
                        && !OPEN_KEYS.contains(before.unwrap_or(&start))
                })
            })
        })
}

/// `auth`, `xauth`, `authn`, `authorization`, `authenticated`, and no `author` or `authority`.
fn speaks_of_auth(word: &str) -> bool {
    word.split_once("auth").is_some_and(|(_before, after)| {
        !after.starts_with("or") || after.starts_with("oriz") || after.starts_with("oris")
    })
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

/// Masks such parameters in the value of a header that holds a URL.
pub fn mask_header(name: &str, value: &mut String) {
    const OF_A_URL: [&str; 5] = ["location", "content-location", "referer", "refresh", "link"];
    if OF_A_URL.iter().any(|known| name.eq_ignore_ascii_case(known)) {
        *value = masked_url(value);
    }
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
            "x-passcode",
            "X-Passkey",
            "x-pass-key",
            "x-pw",
            "x-userpw",
            "x-dbpass",
            "x-appkey",
            "x-sharedkey",
            "x-masterkey",
            "x-master-key-2",
            "x-keys",
            "x-apikeys",
            "x-key1",
            "x-saml-response",
            "SAMLResponse",
            "x-hmac",
            "x-hmac-sha256",
            "x-mfa",
            "x-mfa-code",
            "x-otp",
            "x-totp",
            "x-2fa",
            "x-pin",
            "x-api-key-v2",
            "x-vercel-protection-bypass",
            "x-sign",
            "x-authn",
            "x-authz",
            "x-phpsessid",
            "x-client-assertion",
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
            "x-keys-used",
            "x-key-id",
            "x-keynote",
            "monkey",
            "x-turkey",
            "x-cachekey",
            "x-idempotencykey",
            "x-sort-keys",
            "author",
            "x-authors",
            "x-authority",
            "x-passenger",
            "x-passport-country",
            "x-compass",
            "x-design",
            "x-signal",
            "x-pinned",
            "x-shopping",
            "x-credit",
            "x-assessment",
            "x-robot",
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
            ("/x?monkey=1&pin=hush", "/x?monkey=1&pin=••••••••"),
        ] {
            assert_eq!(masked_url(url), masked, "{url}");
        }
    }

    #[test]
    fn a_header_that_holds_a_url_is_masked_like_one() {
        for (name, masked) in [("Location", true), ("referer", true), ("x-next", false)] {
            let mut value = String::from("https://r.example/?token=hush");
            mask_header(name, &mut value);
            assert_eq!(value.ends_with(HIDDEN), masked, "{name}: {value}");
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
