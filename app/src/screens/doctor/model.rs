//! What the doctor says, in words.

use postern_core::api::delivery::AttemptView;
use postern_core::doctor::{Diagnosis, Mistake, Received, doubts, examine};

use crate::ui::badge::Tone;

/// A thing that the doctor says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    /// How bad it is.
    pub(super) tone: Tone,
    /// What it is.
    pub(super) headline: String,
    /// What to do about it.
    pub(super) advice: String,
}

impl Finding {
    fn new(tone: Tone, headline: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { tone, headline: headline.into(), advice: advice.into() }
    }
}

/// Whether an attempt was refused as a request is whose signature does not verify.
pub(crate) fn asks_for_a_doctor(attempt: &AttemptView) -> bool {
    let is_standard = attempt
        .attempt
        .request
        .as_ref()
        .is_some_and(|request| request.headers.iter().any(|(name, _)| name == "webhook-signature"));
    is_standard
        && attempt.attempt.response.as_ref().is_some_and(|response| [401, 403].contains(&response.status))
}

/// The request of an attempt as text: what a receiver should have seen.
pub(super) fn request_text(attempt: &AttemptView) -> Option<String> {
    let request = attempt.attempt.request.as_ref()?;
    let headers = request.headers.iter().map(|(name, value)| format!("{name}: {value}\n"));
    let body = attempt.request_body.as_deref().unwrap_or_default();
    Some(format!("{}\n{body}", headers.collect::<String>()))
}

/// What the doctor says of what is typed, the most important first. `now_s` is in seconds since 1970.
pub(super) fn findings(request: &str, secret: &str, computed: &str, now_s: i64) -> Vec<Finding> {
    if request.trim().is_empty() {
        return Vec::new();
    }
    let received = match Received::parse(request) {
        Ok(received) => received,
        Err(unreadable) => {
            return vec![Finding::new(
                Tone::Busy,
                "The request is not complete yet",
                sentence(&unreadable.to_string()),
            )];
        }
    };
    if secret.trim().is_empty() {
        return vec![Finding::new(
            Tone::Busy,
            "The secret is missing",
            "Paste the one that your receiver uses.",
        )];
    }
    let mut found = match examine(&received, secret, Some(computed)) {
        Diagnosis::Right if computed.trim().is_empty() => vec![Finding::new(
            Tone::Good,
            "The signature is right",
            "This request verifies with this secret. If your receiver refuses it all the same, paste the body as \
             your code sees it, or the signature that your code computes.",
        )],
        Diagnosis::Right => vec![Finding::new(
            Tone::Good,
            "Both signatures are right",
            "Your code computes what Postern sent. Look at what is compared: webhook-signature may hold several \
             signatures with a space between them, and one that fits is enough.",
        )],
        Diagnosis::ChangedOnTheWay(mistakes) | Diagnosis::WrongInCode(mistakes) => mistakes
            .into_iter()
            .map(|mistake| Finding::new(Tone::Bad, mistake.what(), mistake.fix()))
            .collect(),
        Diagnosis::UnknownInCode => vec![Finding::new(
            Tone::Bad,
            "Your code computes something else",
            format!(
                "The request verifies with this secret, and none of {} known mistakes explains your signature. Log \
                 the text that your code signs and the length of its key, and compare: webhook-id, a dot, \
                 webhook-timestamp, a dot, the body.",
                Mistake::ALL.len()
            ),
        )],
        Diagnosis::Unknown => vec![Finding::new(
            Tone::Bad,
            "The signature does not fit this secret",
            "None of the known mistakes explains it. The secret may be another webhook's, or one from before a \
             rotation; or the body was changed. Copy the secret from the webhook's page.",
        )],
    };
    let beside = doubts(&received, secret, now_s);
    found.extend(beside.into_iter().map(|doubt| Finding::new(Tone::Busy, doubt.to_string(), "")));
    found
}

/// `text` with a capital and a full stop.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

#[cfg(test)]
mod tests {
    use postern_core::signing::{Secret, sign};

    use super::*;
    use crate::screens::attempt::model::tests::attempt;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const AT_S: i64 = 1_795_270_051;

    fn request(body: &str) -> String {
        let secret = Secret::parse(SECRET).expect("a secret");
        let signature = sign(&[secret], "msg_1", AT_S, b"{}").expect("a signature");
        format!("webhook-id: msg_1\nwebhook-timestamp: {AT_S}\nwebhook-signature: {signature}\n\n{body}")
    }

    fn headlines(request: &str, secret: &str, computed: &str) -> Vec<String> {
        findings(request, secret, computed, AT_S).into_iter().map(|finding| finding.headline).collect()
    }

    #[test]
    fn what_is_missing_is_asked_for_before_anything_is_judged() {
        assert!(headlines(" \n", SECRET, "").is_empty());
        assert_eq!(headlines("hello", SECRET, ""), ["The request is not complete yet"]);
        assert_eq!(headlines(&request("{}"), " ", ""), ["The secret is missing"]);
    }

    #[test]
    fn each_verdict_has_its_words() {
        assert_eq!(headlines(&request("{}"), SECRET, ""), ["The signature is right"]);
        assert_eq!(headlines(&request("{}\n"), SECRET, ""), [Mistake::BodyHasNewline.what()]);
        assert_eq!(headlines(&request("{}"), SECRET, "abc"), ["Your code computes something else"]);
        assert_eq!(headlines(&request("[]"), SECRET, ""), ["The signature does not fit this secret"]);
        let late = findings(&request("{}"), SECRET, "", AT_S + 1_000);
        assert_eq!((late.len(), late[1].tone), (2, Tone::Busy));
    }

    #[test]
    fn a_refused_attempt_leads_here_with_its_request() {
        let mut refused = attempt(1, 401, "no");
        assert!(!asks_for_a_doctor(&refused), "a request without a signature has another reason");
        if let Some(request) = &mut refused.attempt.request {
            request.headers.push((String::from("webhook-signature"), String::from("v1,AA==")));
        }
        assert!(asks_for_a_doctor(&refused));
        let text = request_text(&refused).expect("a request");
        assert!(
            text.contains("webhook-signature: v1,AA==\n") && text.ends_with("\n\n{\"a\":\"it's\"}"),
            "{text}"
        );
        let mut other = refused;
        if let Some(response) = &mut other.attempt.response {
            response.status = 500;
        }
        assert!(!asks_for_a_doctor(&other));
    }
}
