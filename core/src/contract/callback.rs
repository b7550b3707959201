//! A whole callback: body, headers, signatures.

use super::render::render;
use super::source::{Rendering, Source};
use super::up42;
use crate::credential::HIDDEN;
use crate::signing::{self, Secret};
use crate::time::Timestamp;
use crate::webhook::{Contract, Definition, header};

/// Everything of a callback but its URL: header names in lower case, in the order they are set.
#[derive(Clone, PartialEq, Eq)]
pub struct Callback {
    /// Names and values, the protected ones in clear.
    pub headers: Vec<(String, String)>,
    /// The same list as it may be shown: protected values and every `authorization` are `••••••••`.
    pub shown_headers: Vec<(String, String)>,
    /// The exact bytes.
    pub body: String,
}

/// A stored secret of a webhook with this contract.
///
/// # Errors
/// The stored text is not a secret: a bug or a damaged store. The error never contains it.
pub fn secret_of(contract: Contract, text: &str) -> Result<Secret, signing::SecretFault> {
    match contract {
        Contract::Standard | Contract::Ubiops => Secret::parse(text),
        Contract::Up42 => Ok(up42::standard_secret(text)),
    }
}

/// Builds the callback: body, Standard Webhooks headers, signature, the webhook's own headers.
///
/// `webhook` must hold plain (unsealed) secrets. It is signed with the current one first, then with every one
/// before it that has not expired at `now`. UP42's own signature, beside, knows one secret only: the current
/// one.
///
/// # Errors
/// A stored secret is not a secret (a bug or a damaged store), or this build can't sign with it: the fault,
/// never the secret.
pub fn build(
    webhook: &Definition,
    rendering: &Rendering,
    source: &Source<'_>,
    message_id: &str,
    now: Timestamp,
) -> Result<Callback, signing::SecretFault> {
    let body = render(rendering, source);
    let timestamp_s = now.unix_s();
    let own = |name: &str, value: &str| Line {
        name: String::from(name),
        value: String::from(value),
        is_hidden: false,
    };
    let mut lines = vec![
        own("content-type", "application/json"),
        own("user-agent", USER_AGENT),
        own("accept", ACCEPT),
        own("webhook-id", message_id),
        own("webhook-timestamp", &timestamp_s.to_string()),
    ];
    let secrets = webhook
        .signing_secrets(now)
        .map(|text| secret_of(webhook.contract, text))
        .collect::<Result<Vec<_>, _>>()?;
    if !secrets.is_empty() {
        lines.push(own(
            "webhook-signature",
            &signing::sign(&secrets, message_id, timestamp_s, body.as_bytes())?,
        ));
    }
    if let (Contract::Up42, Some(secret)) = (webhook.contract, webhook.secret.as_deref()) {
        for (name, value) in up42::signature_headers(secret, now, body.as_bytes()) {
            lines.push(own(name, &value));
        }
    }
    for header in &webhook.headers {
        let name = header.key.to_ascii_lowercase();
        // Refused by the parser; a webhook that had it before the name was refused must not forge a
        // signature.
        if header::is_own(&name, webhook.contract) || header::refusal(&name).is_some() {
            continue;
        }
        let line = Line {
            is_hidden: header.protected || name == "authorization",
            value: header.value.clone(),
            name,
        };
        match lines.iter_mut().find(|earlier| earlier.name == line.name) {
            // Only those that a webhook may replace (`webhook::header`).
            Some(earlier) => *earlier = line,
            None => lines.push(line),
        }
    }
    let shown = |line: &Line| String::from(if line.is_hidden { HIDDEN } else { line.value.as_str() });
    Ok(Callback {
        shown_headers: lines.iter().map(|line| (line.name.clone(), shown(line))).collect(),
        headers: lines.into_iter().map(|line| (line.name, line.value)).collect(),
        body,
    })
}

/// What callbacks call themselves.
pub const USER_AGENT: &str = "Postern/0.1 (+https://github.com/postern)";

/// What callbacks take as an answer: anything, which is what leaving the header out means, too (RFC 9110
/// 12.5.1). Firewalls with the usual rules (OWASP CRS 920300) refuse requests without it.
pub const ACCEPT: &str = "*/*";

/// A header that is about to be sent.
struct Line {
    name: String,
    value: String,
    is_hidden: bool,
}
