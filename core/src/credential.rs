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

/// Schemes of authentication (RFC 9110 11.1 and its registry, and what APIs made up beside them) with which
/// the value of a header starts that is a credential whatever its name.
const SCHEMES: [&str; 7] = ["basic", "bearer", "token", "apikey", "dpop", "negotiate", "hawk"];

/// Whether a header carries a credential, as far as its name and the start of its value can tell.
#[must_use]
pub fn is_credential(name: &str, value: &str) -> bool {
    let starts_with_a_scheme = value.trim_start().split_once(' ').is_some_and(|(scheme, rest)| {
        !rest.trim().is_empty() && SCHEMES.iter().any(|known| scheme.eq_ignore_ascii_case(known))
    });
    starts_with_a_scheme || is_credential_header(name)
}

/// A URL, the path of one, or a text that holds some, with what is before an `@` in its host masked and the
/// values of such parameters, in the query, in the path and in the fragment. Everything else stays byte for
/// byte.
#[must_use]
pub fn masked_url(url: &str) -> String {
    masked(url, NESTED_MAX)
}

/// URLs within an encoded parameter of a URL that are looked at, one within the other.
const NESTED_MAX: u8 = 2;
/// Where a text that holds URLs ends one: `link: <https://r.example/?a=1>; rel="next"`.
const ENDS: [char; 5] = [' ', '\t', '<', '>', '"'];

/// Parameters between two `&` whose encoded values are looked at to their common end: a value may hold a `;`.
/// Of those behind them each value is looked at alone.
const READ_TO_THE_END_MAX: u8 = 8;

/// Takes time by the length of the text, because strangers write the paths that inboxes record: each part of
/// it is looked at a limited number of times on each level.
fn masked(text: &str, nested_max: u8) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    // Bytes of the text from the end of the parameters at hand on: found once for all that stand before it.
    let mut behind_parameters = usize::MAX;
    let mut read_to_the_end = 0;
    while let Some(at) = rest.find(['?', '&', ';', '#', '/']) {
        let (before, from) = rest.split_at(at);
        let (mark, behind) = from.split_at(1);
        masked.push_str(before);
        masked.push_str(mark);
        rest = behind;
        if let Some(behind) = rest.strip_prefix('/').filter(|_| mark == "/") {
            let end = behind.find(|c| ['/', '?', '#'].contains(&c) || ENDS.contains(&c));
            let (authority, behind) = behind.split_at(end.unwrap_or(behind.len()));
            masked.push('/');
            match authority.rsplit_once('@') {
                Some((_user, host)) => masked.extend([HIDDEN, "@", host]),
                None => masked.push_str(authority),
            }
            rest = behind;
        } else if mark != "/" {
            if rest.len() < behind_parameters {
                let end = rest.find(|c| ['&', '#'].contains(&c) || ENDS.contains(&c));
                behind_parameters = rest.len() - end.unwrap_or(rest.len());
                read_to_the_end = 0;
            }
            let (parameters, behind) = rest.split_at(rest.len() - behind_parameters);
            let nested = || {
                let own = parameters.find(['?', ';', '/']).filter(|_| read_to_the_end == READ_TO_THE_END_MAX);
                read_to_the_end = READ_TO_THE_END_MAX.min(read_to_the_end + 1);
                let (name, value) = parameters[..own.unwrap_or(parameters.len())].split_once('=')?;
                holds_credentials(value, nested_max).then_some(name)
            };
            if let Some(name) = masked_name(parameters).or_else(nested) {
                masked.extend([name, "=", HIDDEN]);
                rest = behind;
            }
        }
    }
    masked.push_str(rest);
    masked
}

/// The name of the first of these parameters, if its value is to be masked.
fn masked_name(parameters: &str) -> Option<&str> {
    let (name, from) = parameters.split_at(parameters.find(['=', '?', ';', '/'])?);
    (from.starts_with('=') && from.len() > 1 && is_masked(name)).then_some(name)
}

/// Whether an encoded value holds a URL with something to mask.
fn holds_credentials(value: &str, nested_max: u8) -> bool {
    let Some(nested_max) = nested_max.checked_sub(1).filter(|_| value.contains('%')) else { return false };
    route::decode_segment(value).is_some_and(|plain| masked(&plain, nested_max) != plain)
}

/// Masks such parameters in the value of a header that holds a URL.
pub fn mask_header(name: &str, value: &mut String) {
    const OF_A_URL: [&str; 10] = [
        "location",
        "content-location",
        "referer",
        "refresh",
        "link",
        "x-original-url",
        "x-original-uri",
        "x-rewrite-url",
        "x-forwarded-uri",
        "x-request-uri",
    ];
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
    fn a_value_with_a_scheme_is_a_credential_under_any_name() {
        for value in ["Bearer hush", "basic aHVzaA==", " Token abc", "DPoP x", "ApiKey k"] {
            assert!(is_credential("x-upstream", value), "{value}");
        }
        for value in ["", "bearer", "Bearer ", "bearers of news", "a b", "application/json"] {
            assert!(!is_credential("x-upstream", value), "{value}");
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
            ("https://r.example/?api_key=hush#top", "https://r.example/?api_key=••••••••#top"),
            ("https://a.example/#access_token=hush&a=1", "https://a.example/#access_token=••••••••&a=1"),
            ("https://u:hush@a.example/b", "https://••••••••@a.example/b"),
            ("//u@a.example", "//••••••••@a.example"),
            ("https://a.example/@u/b@c", "https://a.example/@u/b@c"),
            ("/in/p.k?a=1;token=hush", "/in/p.k?a=1;token=••••••••"),
            ("/a;token=hush/b?c=1&d=2", "/a;token=••••••••&d=2"),
            ("https://a.example/?next=/x?token=hush", "https://a.example/?next=/x?token=••••••••"),
            ("https://a.example/?next=%2Fx%3Ftoken%3Dhush&b=1", "https://a.example/?next=••••••••&b=1"),
            ("https://a.example/?next=%252Fx%253Fa%253D1", "https://a.example/?next=%252Fx%253Fa%253D1"),
            ("https://a.example/?token=a?b;c&d=1", "https://a.example/?token=••••••••&d=1"),
            (
                "<https://a.example/?token=hush>; rel=\"next\"",
                "<https://a.example/?token=••••••••>; rel=\"next\"",
            ),
            ("0; url=https://a.example/?token=hush", "0; url=https://a.example/?token=••••••••"),
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
            // What stands before an encoded value hides nothing in it.
            ("/?x=100%;next=https%3A%2F%2Fe.example%2F%3Ftoken%3Dhush", "/?x=100%;next=••••••••"),
            ("/?x=%FF;next=%3Ftoken%3Dhush", "/?x=%FF;next=••••••••"),
            ("/?x=%2F%2Fa;y=%26token%3Dhush", "/?x=%2F%2Fa;y=••••••••"),
            ("/?x=%zz;y=https%3A%2F%2Fu:hu;sh@e.example", "/?x=%zz;y=••••••••"),
            (
                "/?1=1;2=1;3=1;4=1;5=1;6=1;7=1;8=1;9=1;next=%3Ftoken%3Dhush;z=%zz",
                "/?1=1;2=1;3=1;4=1;5=1;6=1;7=1;8=1;9=1;next=••••••••",
            ),
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
