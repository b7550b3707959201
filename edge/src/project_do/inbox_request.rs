//! What an inbox records, and what it says of a signature: it verifies as a receiver would that knows the
//! secrets of the project's webhooks that call it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use postern_core::api::inbox::{InboxRequestView, SignatureVerdict};
use postern_core::api::live::LiveEvent;
use postern_core::contract::secret_of;
use postern_core::credential;
use postern_core::credential::HIDDEN;
use postern_core::media;
use postern_core::signing::{Received, Secret, VerifyFault};
use postern_core::time::Timestamp;
use postern_core::webhook::{Definition, ProjectName};
use postern_ledger::StoredWebhook;

use crate::body::Body;
use crate::log::RequestId;
use crate::seal::{self, Keyring, Owner};

/// Webhooks whose secrets are tried on one request at most.
pub(super) const WEBHOOKS_MAX: usize = 20;
/// Secrets that are tried on one request at most, the current ones first: each costs a look through the whole
/// body.
const SECRETS_MAX: usize = 40;
/// Bytes of a body that the live feed carries; the list has it in full.
const LIVE_BODY_BYTES_MAX: usize = 4 * 1024;

/// The path of an inbox: what its address holds after the origin.
pub(crate) fn path(project: &ProjectName, key: &str) -> String {
    format!("/in/{}.{key}", project.as_str())
}

/// The project and key of a path `/in/{project}.{key}[/…]`, and what follows.
pub(crate) fn parse_path(path: &str) -> Option<(ProjectName, &str, &str)> {
    let address = path.strip_prefix("/in/")?;
    let (address, rest) = address.split_at(address.find('/').unwrap_or(address.len()));
    let (project, key) = address.split_once('.')?;
    Some((ProjectName::parse(project)?, key, rest))
}

/// Checks the signature of a request against the secrets of `webhooks`, the first [`WEBHOOKS_MAX`] of the
/// project that have one and call the inbox, and of how many. Anybody may send one, so the work is bounded,
/// and a verdict says where something was left out.
pub(super) fn verdict(
    keyring: &Keyring,
    project: &ProjectName,
    (webhooks, count): &(Vec<StoredWebhook>, usize),
    request: &InboxRequestView,
    now: Timestamp,
) -> SignatureVerdict {
    let header = |name: &str| {
        request
            .headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    };
    let Some(signature) = header(signing_header::SIGNATURE) else {
        return SignatureVerdict::Unsigned;
    };
    let invalid = |reason: String| SignatureVerdict::Invalid { reason };
    if request.truncated {
        return invalid(String::from("the body was cut at 256 KiB, so it can't be checked"));
    }
    let body = if request.body_is_base64 {
        STANDARD.decode(&request.body).unwrap_or_default()
    } else {
        request.body.clone().into_bytes()
    };
    let read = Received::read(
        header(signing_header::ID),
        header(signing_header::TIMESTAMP),
        Some(signature),
        &body,
        now.unix_s(),
    );
    let received = match read {
        Ok(received) => received,
        Err(fault) => return invalid(fault.to_string()),
    };
    let secrets: Vec<(&StoredWebhook, Vec<Secret>)> =
        webhooks.iter().map(|stored| (stored, secrets_of(keyring, project, stored, now))).collect();
    let newest_first = || {
        (0..=Definition::PREVIOUS_SECRETS_MAX).flat_map(|rank| {
            secrets.iter().filter_map(move |(stored, secrets)| Some((stored, secrets.get(rank)?)))
        })
    };
    if newest_first().next().is_none() {
        return invalid(String::from("no webhook of this project that calls this inbox has a secret"));
    }
    if let Some((stored, _)) =
        newest_first().take(SECRETS_MAX).find(|(_, secret)| received.is_signed_with(secret))
    {
        return SignatureVerdict::Valid { webhook: String::from(stored.definition.name.as_str()) };
    }
    let mut reasons = vec![VerifyFault::Mismatch.to_string()];
    reasons.extend(received.left_out().map(String::from));
    let tried = webhooks.len();
    if *count > tried {
        reasons.push(format!("only {tried} of the {count} webhooks that call this inbox were tried"));
    }
    let secrets = newest_first().count();
    if secrets > SECRETS_MAX {
        reasons.push(format!("only {SECRETS_MAX} of their {secrets} secrets were tried"));
    }
    invalid(reasons.join("; "))
}

/// The secrets with which `stored` signs now, the current one first.
fn secrets_of(
    keyring: &Keyring,
    project: &ProjectName,
    stored: &StoredWebhook,
    now: Timestamp,
) -> Vec<Secret> {
    let owner = Owner { project, id: &stored.id };
    let secrets = seal::unseal_signing_secrets(keyring, owner, &stored.definition, now);
    secrets.iter().filter_map(|secret| secret_of(stored.definition.contract, secret).ok()).collect()
}

/// Hides what readers of the inbox must not see: the values of headers that a webhook of the project that
/// calls the inbox protects (`protects` says; `None` where none has such a header); of headers whose name is
/// one of a credential, unless such a webhook has it open; and of credentials in the query and in URLs. A
/// stranger's credential is nobody's to read either.
pub(super) fn hide_credentials(protects: impl Fn(&str) -> Option<bool>, request: &mut InboxRequestView) {
    for (name, value) in &mut request.headers {
        if protects(name).unwrap_or_else(|| credential::is_credential(name, value)) {
            *value = String::from(HIDDEN);
        } else {
            credential::mask_header(name, value);
        }
    }
    request.path = credential::masked_url(&request.path);
}

/// Names of the Standard Webhooks headers (docs/wire.md D.1).
mod signing_header {
    pub(super) const ID: &str = "webhook-id";
    pub(super) const TIMESTAMP: &str = "webhook-timestamp";
    pub(super) const SIGNATURE: &str = "webhook-signature";
}

/// What the live feed says of a recorded request.
pub(super) fn live_event(inbox_id: &str, request: &InboxRequestView) -> LiveEvent {
    let mut request = request.clone();
    let cut = request.body.floor_char_boundary(LIVE_BODY_BYTES_MAX);
    request.body.truncate(cut);
    LiveEvent::InboxRequest { inbox_id: String::from(inbox_id), request: Box::new(request) }
}

/// A request as it arrived; the object fills in the rest.
pub(crate) fn arrived(
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Body,
    id: &RequestId,
) -> InboxRequestView {
    let (truncated, extent) = (body.is_cut(), body.extent());
    let body_bytes = u32::try_from(body.arrived).unwrap_or(u32::MAX);
    let (body, body_is_base64) = media::as_recorded(body.kept, extent);
    InboxRequestView {
        id: String::from(id.as_str()),
        method,
        path,
        headers,
        body,
        body_is_base64,
        body_text: None,
        body_bytes,
        truncated,
        received_at: Timestamp(0),
        signature: SignatureVerdict::Unsigned,
        answered: 200,
    }
}

#[cfg(test)]
mod tests {
    use postern_core::signing::{self, SecretKind};
    use postern_core::webhook::{Contract, WebhookName};

    use super::*;

    fn project() -> ProjectName {
        ProjectName::parse("p1").unwrap()
    }

    fn keyring() -> Keyring {
        Keyring::parse("k1:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=").unwrap()
    }

    fn webhook(id: &str, secret: Option<&Secret>) -> StoredWebhook {
        let name = WebhookName::parse(id).unwrap();
        let plain = Definition {
            secret: secret.map(Secret::reveal),
            ..Definition::new(name, "https://a.example/in/p1.key", Contract::Standard, Vec::new())
        };
        let definition = seal::seal(&keyring(), Owner { project: &project(), id }, &plain, None).unwrap();
        StoredWebhook {
            seq: postern_core::id::Seq(1),
            id: String::from(id),
            version: 1,
            definition,
            disabled_reason: None,
            created_at: Timestamp(0),
            updated_at: Timestamp(0),
        }
    }

    fn signed(secret: &Secret, body: &str) -> InboxRequestView {
        let signature = signing::sign(std::slice::from_ref(secret), "msg_1", 1_000, body.as_bytes()).unwrap();
        let headers =
            [("webhook-id", "msg_1"), ("webhook-timestamp", "1000"), ("webhook-signature", &signature)];
        let headers =
            headers.into_iter().map(|(name, value)| (String::from(name), String::from(value))).collect();
        arrived(String::from("POST"), String::new(), headers, whole(body.as_bytes()), &RequestId::new([0; 8]))
    }

    fn whole(bytes: &[u8]) -> Body {
        Body { kept: bytes.to_vec(), arrived: bytes.len() }
    }

    fn check(webhooks: &[StoredWebhook], request: &InboxRequestView) -> SignatureVerdict {
        let with_secret = webhooks.iter().filter(|stored| stored.definition.secret.is_some());
        let callers = (with_secret.clone().take(WEBHOOKS_MAX).cloned().collect(), with_secret.count());
        verdict(&keyring(), &project(), &callers, request, Timestamp(1_001_000))
    }

    #[test]
    fn a_signature_by_any_webhook_that_calls_the_inbox_is_valid() {
        let (mine, other) = (Secret::from_random(&[1; 32]), Secret::from_random(&[2; 32]));
        let webhooks = [webhook("none", None), webhook("other", Some(&other)), webhook("mine", Some(&mine))];
        assert_eq!(
            check(&webhooks, &signed(&mine, "{}")),
            SignatureVerdict::Valid { webhook: String::from("mine") }
        );
    }

    #[test]
    fn a_signature_by_a_secret_that_was_rotated_is_valid_until_it_expires() {
        let (old, new) =
            (Secret::from_random(&[1; 32]), Secret::generate(SecretKind::V1a, &[2; 32]).unwrap());
        let mut stored = webhook("w", Some(&old));
        let current = stored.definition.clone();
        stored.definition.rotate_secret(new.reveal(), 60, Timestamp(1_000_000));
        let owner = Owner { project: &project(), id: "w" };
        stored.definition = seal::seal(&keyring(), owner, &stored.definition, Some(&current)).unwrap();
        let valid = SignatureVerdict::Valid { webhook: String::from("w") };
        let callers = (vec![stored], 1);
        assert_eq!(check(&callers.0, &signed(&new, "{}")), valid, "ed25519");
        let late = |now_ms| verdict(&keyring(), &project(), &callers, &signed(&old, "{}"), Timestamp(now_ms));
        assert_eq!(late(1_059_999), valid);
        assert_eq!(late(1_060_000), SignatureVerdict::Invalid { reason: VerifyFault::Mismatch.to_string() });
    }

    #[test]
    fn a_changed_body_is_invalid_and_a_missing_signature_is_unsigned() {
        let secret = Secret::from_random(&[1; 32]);
        let webhooks = [webhook("w", Some(&secret))];
        let mut request = signed(&secret, "{}");
        request.body = String::from("{ }");
        assert_eq!(
            check(&webhooks, &request),
            SignatureVerdict::Invalid { reason: VerifyFault::Mismatch.to_string() }
        );
        request.headers.clear();
        assert_eq!(check(&webhooks, &request), SignatureVerdict::Unsigned);
    }

    fn reason(verdict: SignatureVerdict) -> String {
        match verdict {
            SignatureVerdict::Invalid { reason } => reason,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn so_many_webhooks_and_signatures_are_tried_and_the_verdict_says_so() {
        let secret = |n: u8| Secret::from_random(&[n; 32]);
        let webhooks: Vec<StoredWebhook> =
            (1..=29).map(|n| webhook(&format!("w{n}"), Some(&secret(n)))).collect();
        assert_eq!(
            check(&webhooks, &signed(&secret(20), "{}")),
            SignatureVerdict::Valid { webhook: String::from("w20") }
        );
        let late = reason(check(&webhooks, &signed(&secret(21), "{}")));
        assert_eq!(
            late,
            "no signature matches the body; only 20 of the 29 webhooks that call this inbox were tried"
        );
        let mut request = signed(&secret(1), "{}");
        let right = request.headers[2].1.clone();
        let wrong = format!("v1,{}", STANDARD.encode([0; 32]));
        request.headers[2].1 = format!("{} {right}", vec![wrong; 16].join(" "));
        let many = reason(check(&webhooks[..1], &request));
        assert_eq!(many, "no signature matches the body; only the first 16 of 17 signatures were compared");
        request.headers[2].1 = format!("{} {right}", vec!["v1,AAAA"; 100].join(" "));
        assert_eq!(
            check(&webhooks, &request),
            SignatureVerdict::Valid { webhook: String::from("w1") },
            "wrong lengths are dropped"
        );
    }

    #[test]
    fn a_signature_that_nobody_can_check_is_invalid() {
        let secret = Secret::from_random(&[1; 32]);
        let request = signed(&secret, "{}");
        assert!(matches!(check(&[], &request), SignatureVerdict::Invalid { .. }));
        let cut = InboxRequestView { truncated: true, ..request };
        assert!(matches!(check(&[webhook("w", Some(&secret))], &cut), SignatureVerdict::Invalid { .. }));
    }

    #[test]
    fn credentials_are_hidden_unless_a_webhook_that_calls_the_inbox_has_them_open() {
        let headers =
            ["authorization", "cookie", "x-api-key", "x-mine", "x-open", "webhook-signature", "Referer"]
                .map(|name| (String::from(name), String::from("https://a.example/?token=v")));
        let shown = |said: &[(&str, bool)]| {
            let path = String::from("/a?token=v&b=v");
            let mut request =
                arrived(String::from("POST"), path, headers.to_vec(), whole(b""), &RequestId::new([0; 8]));
            let protects = |name: &str| said.iter().find(|(known, _)| *known == name).map(|(_, says)| *says);
            hide_credentials(protects, &mut request);
            assert_eq!(request.path, format!("/a?token={HIDDEN}&b=v"));
            let (_, referer) = request.headers.pop().unwrap();
            assert_eq!(referer, format!("https://a.example/?token={HIDDEN}"));
            request
                .headers
                .into_iter()
                .filter(|(_, value)| value != HIDDEN)
                .map(|(name, _)| name)
                .collect::<Vec<_>>()
        };
        assert_eq!(shown(&[]), ["x-mine", "x-open", "webhook-signature"]);
        assert_eq!(
            shown(&[("x-mine", true), ("x-api-key", false)]),
            ["x-api-key", "x-open", "webhook-signature"]
        );
    }

    #[test]
    fn an_inbox_path_holds_project_key_and_more() {
        let parse =
            |text| parse_path(text).map(|(project, key, rest)| (String::from(project.as_str()), key, rest));
        assert_eq!(parse("/in/p1.abc"), Some((String::from("p1"), "abc", "")));
        assert_eq!(parse("/in/p-1.abc/x//y"), Some((String::from("p-1"), "abc", "/x//y")));
        assert_eq!(parse("/in/p1"), None);
        assert_eq!(parse("/in/P1.abc"), None);
        assert_eq!(parse("/inn/p1.abc"), None);
        assert_eq!(path(&project(), "abc"), "/in/p1.abc");
    }

    #[test]
    fn a_cut_through_a_character_leaves_text() {
        let body = Body { kept: vec![b'a', 0xc3], arrived: 9 };
        let request = arrived(String::from("PUT"), String::new(), Vec::new(), body, &RequestId::new([0; 8]));
        assert_eq!(
            (request.body.as_str(), request.body_is_base64, request.truncated, request.body_bytes),
            ("a", false, true, 9)
        );
    }

    #[test]
    fn bytes_that_are_no_text_are_kept_as_base64() {
        let request = arrived(
            String::from("PUT"),
            String::new(),
            Vec::new(),
            whole(&[0xff, 0x00]),
            &RequestId::new([0; 8]),
        );
        assert!(request.body_is_base64);
        assert_eq!((request.body.as_str(), request.body_bytes), ("/wA=", 2));
    }
}
