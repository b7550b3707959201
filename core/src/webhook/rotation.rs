//! Replacing a webhook's secret while the one before still signs: what the body may hold.
//! [`Definition::rotate_secret`] does it.
//!
//! [`Definition::rotate_secret`]: super::Definition::rotate_secret

use serde::{Deserialize, Serialize};

use super::Contract;
use crate::contract::up42;
use crate::fault::{Fault, Fields, InputFault, parse_json};
use crate::signing::{Secret, SecretKind};

/// Seconds for which the previous secret still signs, if absent: a day.
pub const OVERLAP_DEFAULT_S: u32 = 86_400;
/// Seconds that it signs on at most: a week.
pub const OVERLAP_MAX_S: u32 = 604_800;

/// The body of `POST webhooks/{name}/secret/rotate`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rotation {
    /// Seconds that the secret before signs on; 0 ends it at once.
    pub overlap_s: u32,
    /// The new secret.
    pub secret: NewSecret,
}

/// The secret that a rotation sets.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NewSecret {
    /// This one, in clear and in its normal form.
    Given(String),
    /// One that is to be made: of this kind, else of the current one's.
    Made(Option<SecretKind>),
}

impl std::fmt::Debug for NewSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Given(_) => f.debug_tuple("Given").finish_non_exhaustive(),
            Self::Made(kind) => f.debug_tuple("Made").field(kind).finish(),
        }
    }
}

/// What signs after a rotation.
#[derive(PartialEq, Eq)]
pub enum NextSecret {
    /// This text.
    Text(String),
    /// A secret that is to be made, of this kind.
    Generate(SecretKind),
}

impl NewSecret {
    /// What a webhook of this contract signs with next; `current` is the secret that it has.
    ///
    /// # Errors
    /// The contract can't sign with it, or it is the current one; never repeats the secret.
    pub fn decide(self, contract: Contract, current: Option<&Secret>) -> Result<NextSecret, Fault> {
        let is_up42 = contract == Contract::Up42;
        match self {
            Self::Made(Some(SecretKind::V1a)) if is_up42 => {
                Err(Fault::new("/kind", "must be v1: UP42's signature knows no ed25519 keys"))
            }
            Self::Made(kind) => {
                let kind = kind.or(current.map(Secret::kind)).unwrap_or(SecretKind::V1);
                Ok(NextSecret::Generate(kind))
            }
            Self::Given(secret) => {
                if is_up42 {
                    up42::check_secret(&secret).map_err(|detail| Fault::new("/secret", detail))?;
                }
                if current.is_some_and(|current| current.reveal() == secret) {
                    return Err(Fault::new("/secret", "is the current one already"));
                }
                Ok(NextSecret::Text(secret))
            }
        }
    }
}

impl Rotation {
    /// Parses the body: `{"overlap_s"?, "secret"?, "kind"?}`. An empty body is `{}`.
    ///
    /// # Errors
    /// Not JSON, or every bad field; never repeats the secret.
    pub fn parse(body: &str) -> Result<Self, InputFault> {
        let draft = parse_json(if body.trim().is_empty() { "{}" } else { body })?;
        let mut fields = Fields::from_value(&draft, "")?;
        let overlap_s = fields.integer("overlap_s").value().map_or(Some(OVERLAP_DEFAULT_S), |seconds| {
            let fitting = u32::try_from(seconds).ok().filter(|seconds| *seconds <= OVERLAP_MAX_S);
            if fitting.is_none() {
                fields.fault("overlap_s", format!("must be 0 to {OVERLAP_MAX_S} seconds"));
            }
            fitting
        });
        let secret = fields.text("secret").value().and_then(|text| match Secret::parse(text) {
            Ok(secret) => Some(secret),
            Err(fault) => {
                fields.fault("secret", fault.to_string());
                None
            }
        });
        let kind = fields.text("kind").value().and_then(|text| {
            let kind = SecretKind::parse(text);
            if kind.is_none() {
                fields.fault("kind", "must be v1 (HMAC-SHA256) or v1a (ed25519)");
            }
            kind
        });
        if let (Some(secret), Some(kind)) = (&secret, kind)
            && secret.kind() != kind
        {
            fields.fault(
                "kind",
                format!("must be {}, the kind of this secret, or be left out", secret.kind().as_str()),
            );
        }
        let faults = fields.finish();
        match overlap_s {
            Some(overlap_s) if faults.is_empty() => {
                let secret = secret.map_or(NewSecret::Made(kind), |secret| NewSecret::Given(secret.reveal()));
                Ok(Self { overlap_s, secret })
            }
            _ => Err(faults.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{Contract, Definition, RetiredSecret, WebhookName};
    use super::*;
    use crate::time::Timestamp;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    fn next(contract: Contract, wanted: NewSecret, current: Option<&Secret>) -> Result<NextSecret, String> {
        wanted.decide(contract, current).map_err(|fault| format!("{} {}", fault.pointer, fault.detail))
    }

    #[test]
    fn a_new_secret_is_of_the_kind_that_is_asked_for_or_of_the_current_one() {
        let v1 = Secret::from_random(&[1; 32]);
        let v1a = Secret::generate(SecretKind::V1a, &[1; 32]).ok();
        let made =
            |contract, kind, current: Option<&Secret>| match next(contract, NewSecret::Made(kind), current) {
                Ok(NextSecret::Generate(kind)) => kind,
                Ok(NextSecret::Text(_)) => panic!("nobody gave a secret"),
                Err(fault) => panic!("{fault}"),
            };
        assert_eq!(made(Contract::Standard, None, None), SecretKind::V1);
        assert_eq!(made(Contract::Standard, None, Some(&v1)), SecretKind::V1);
        assert_eq!(made(Contract::Ubiops, None, v1a.as_ref()), SecretKind::V1a);
        assert_eq!(made(Contract::Standard, Some(SecretKind::V1a), Some(&v1)), SecretKind::V1a);
        assert_eq!(made(Contract::Standard, Some(SecretKind::V1), v1a.as_ref()), SecretKind::V1);
    }

    #[test]
    fn a_secret_that_is_given_must_be_another_and_one_that_the_contract_can_sign_with() {
        let current = Secret::parse(SECRET).unwrap_or_else(|fault| panic!("{fault}"));
        let given = |contract, text: &str| {
            next(contract, NewSecret::Given(String::from(text)), Some(&current)).map(|_next| ())
        };
        let other = Secret::from_random(&[9; 32]).reveal();
        assert_eq!(given(Contract::Standard, &other), Ok(()));
        assert_eq!(
            given(Contract::Standard, SECRET),
            Err(String::from("/secret is the current one already"))
        );
        let long = "x".repeat(up42::SECRET_CHARS_MAX + 1);
        let refused = given(Contract::Up42, &long);
        assert!(refused.is_err_and(|fault| fault.starts_with("/secret must be at most 75 characters")));
        assert_eq!(
            next(Contract::Up42, NewSecret::Made(Some(SecretKind::V1a)), None).map(|_next| ()),
            Err(String::from("/kind must be v1: UP42's signature knows no ed25519 keys"))
        );
    }

    #[test]
    fn silence_means_a_new_secret_of_the_same_kind_and_a_day() -> Result<(), InputFault> {
        for body in ["", " ", "{}", r#"{"secret":null,"overlap_s":null,"kind":null}"#] {
            assert_eq!(Rotation::parse(body)?, Rotation { overlap_s: 86_400, secret: NewSecret::Made(None) });
        }
        assert_eq!(Rotation::parse(r#"{"kind":"v1a"}"#)?.secret, NewSecret::Made(Some(SecretKind::V1a)));
        let given = Rotation::parse(&json!({"secret": SECRET, "kind": "v1", "overlap_s": 0}).to_string())?;
        assert_eq!(given, Rotation { overlap_s: 0, secret: NewSecret::Given(String::from(SECRET)) });
        assert!(!format!("{given:?}").contains("whsec_"));
        let sent = serde_json::to_string(&given).unwrap_or_default();
        assert_eq!(serde_json::from_str::<Rotation>(&sent).ok(), Some(given));
        Ok(())
    }

    #[test]
    fn every_bad_field_is_named() {
        for (body, pointer) in [
            (json!({"overlap_s": -1}), "/overlap_s"),
            (json!({"overlap_s": 604_801}), "/overlap_s"),
            (json!({"overlap_s": "1"}), "/overlap_s"),
            (json!({"secret": "hush"}), "/secret"),
            (json!({"kind": "v2"}), "/kind"),
            (json!({"secret": SECRET, "kind": "v1a"}), "/kind"),
            (json!({"name": "x"}), "/name"),
            (json!([]), ""),
        ] {
            let found = Rotation::parse(&body.to_string());
            assert!(
                matches!(&found, Err(InputFault::Invalid(faults)) if faults.len() == 1 && faults[0].pointer == pointer),
                "{body} {found:?}"
            );
        }
    }

    fn webhook() -> Definition {
        let name = WebhookName::parse("w").unwrap_or_else(|| panic!("w is a name"));
        Definition {
            secret: Some(String::from("s0")),
            ..Definition::new(name, "https://r.example/", Contract::Standard, Vec::new())
        }
    }

    #[test]
    fn a_replaced_secret_signs_until_its_time_is_over() {
        let mut webhook = webhook();
        webhook.rotate_secret(String::from("s1"), 10, Timestamp(0));
        webhook.rotate_secret(String::from("s2"), 5, Timestamp(1_000));
        let at = |ms: i64| webhook.signing_secrets(Timestamp(ms)).collect::<Vec<_>>();
        assert_eq!(at(5_999), ["s2", "s1", "s0"]);
        assert_eq!(at(6_000), ["s2", "s0"]);
        assert_eq!(at(10_000), ["s2"]);
    }

    #[test]
    fn what_expired_and_what_is_too_much_is_dropped() {
        let mut webhook = webhook();
        for number in 1..=7 {
            webhook.rotate_secret(format!("s{number}"), 100, Timestamp(number * 1_000));
        }
        let kept: Vec<&str> =
            webhook.previous_secrets.iter().map(|retired| retired.secret.as_str()).collect();
        assert_eq!(kept, ["s6", "s5", "s4", "s3", "s2"]);
        webhook.rotate_secret(String::from("s8"), 0, Timestamp(103_500));
        let kept: Vec<&str> =
            webhook.previous_secrets.iter().map(|retired| retired.secret.as_str()).collect();
        assert_eq!(kept, ["s6", "s5", "s4", "s3"], "s7 was ended at once, s2 had expired");
        webhook.secret = None;
        webhook.previous_secrets = Vec::new();
        webhook.rotate_secret(String::from("s9"), 100, Timestamp(0));
        assert_eq!(
            (webhook.secret.as_deref(), webhook.previous_secrets.as_slice()),
            (Some("s9"), &[] as &[RetiredSecret])
        );
    }
}
