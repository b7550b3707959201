//! Each mistake is made here as a receiver makes it, and named by the doctor.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha512};

use super::*;
use crate::signing::{self, Secret, hmac_sha256 as hmac};
use crate::token::hex;

const SECRET: &str = "whsec_+/MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS+/x8Q==";
/// The signature of this id holds a `+` and a `/`.
const ID: &str = "msg_2Y1";
const AT: &str = "1795270051";
const BODY: &str = "{\"type\":\"order.paid\",\"data\":{\"name\":\"Zoë\", \"total\": 10.50}}";

fn key() -> Vec<u8> {
    STANDARD.decode(SECRET.trim_start_matches("whsec_")).expect("base64")
}

/// The callback with this body, rightly signed.
fn sent(body: &str) -> Received {
    let secret = Secret::parse(SECRET).expect("a secret");
    let at_s = AT.parse().expect("a number");
    let signature = signing::sign(&[secret], ID, at_s, body.as_bytes()).expect("a signature");
    Received {
        id: String::from(ID),
        timestamp: String::from(AT),
        signature,
        content_length: None,
        body: String::from(body),
    }
}

/// What code computes that signs this content with this key.
fn computed(key: &[u8], content: impl AsRef<[u8]>) -> String {
    STANDARD.encode(hmac(key, content.as_ref()))
}

fn right_content() -> String {
    format!("{ID}.{AT}.{BODY}")
}

/// Secrets and bodies that were changed on the way, and by what.
fn changes() -> Vec<(Mistake, String, String)> {
    let secret = |mistake, secret: &str| (mistake, String::from(secret), String::from(BODY));
    let body = |mistake, body: &str| (mistake, String::from(SECRET), String::from(body));
    let bare = SECRET.trim_start_matches("whsec_");
    vec![
        secret(Mistake::SecretHasSpace, &format!("{SECRET}\n")),
        secret(Mistake::SecretHasQuotes, &format!("\"{SECRET}\"")),
        secret(Mistake::SecretIsBroken, &format!("{}\n  {}", &SECRET[..20], &SECRET[20..])),
        secret(Mistake::SecretLacksPrefix, bare),
        secret(Mistake::SecretHasTwoPrefixes, &format!("whsec_{SECRET}")),
        secret(Mistake::SecretIsUrlSafe, &format!("whsec_{}", bare.replace('+', "-").replace('/', "_"))),
        secret(Mistake::SecretLacksPadding, SECRET.trim_end_matches('=')),
        secret(Mistake::SecretIsEscaped, &SECRET.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D")),
        body(Mistake::BodyHasNewline, &format!("{BODY}\n")),
        body(Mistake::BodyHasNewline, &format!("{BODY}\r\n")),
        body(Mistake::BodyHasSpace, &format!("  {BODY}\n ")),
        body(Mistake::BodyHasMark, &format!("\u{feff}{BODY}")),
        body(Mistake::BodyInOtherCharset, &BODY.bytes().map(char::from).collect::<String>()),
        body(Mistake::BodyInBase64, &STANDARD.encode(BODY)),
        body(Mistake::BodyQuoted, &serde_json::Value::from(BODY).to_string()),
        body(Mistake::BodyInForm, &format!("payload={}", crate::route::encode_segment(BODY))),
        body(Mistake::BodyEscaped, &BODY.replace('ë', "\\u00eb")),
    ]
}

/// What code computes that makes a mistake.
fn codes() -> Vec<(Mistake, String)> {
    let (key, content) = (key(), right_content());
    let bare = SECRET.trim_start_matches("whsec_");
    let of_body = |body: &str| computed(&key, format!("{ID}.{AT}.{body}"));
    let of_content = |content: &str| computed(&key, content);
    let mut sha1 = Hmac::<Sha1>::new_from_slice(&key).expect("any key");
    sha1.update(content.as_bytes());
    let mut sha512 = Hmac::<Sha512>::new_from_slice(&key).expect("any key");
    sha512.update(content.as_bytes());
    let mac = hmac(&key, content.as_bytes());
    let nodes_key = {
        let text = SECRET.replace('_', "/");
        let all = text.trim_end_matches('=').bytes().map(|c| {
            u32::try_from(
                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
                    .find(char::from(c))
                    .expect("a letter"),
            )
            .expect("six bits")
        });
        let bits: Vec<u32> = all.flat_map(|six| (0..6).rev().map(move |bit| six >> bit & 1)).collect();
        bits.chunks_exact(8)
            .map(|byte| byte.iter().fold(0_u8, |sum, bit| sum << 1 | u8::from(*bit == 1)))
            .collect::<Vec<u8>>()
    };
    vec![
        (Mistake::SecretUsedAsText, computed(SECRET.as_bytes(), &content)),
        (Mistake::SecretNotDecoded, computed(bare.as_bytes(), &content)),
        (Mistake::PrefixDecoded, computed(&nodes_key, &content)),
        (
            Mistake::BodyWrittenAgain,
            of_body("{\"type\":\"order.paid\",\"data\":{\"name\":\"Zoë\",\"total\":10.50}}"),
        ),
        (
            Mistake::BodyWrittenAgain,
            of_body("{\"type\": \"order.paid\", \"data\": {\"name\": \"Zo\\u00eb\", \"total\": 10.50}}"),
        ),
        (
            Mistake::BodyWrittenAgain,
            of_body(
                "{\n  \"type\": \"order.paid\",\n  \"data\": {\n    \"name\": \"Zoë\",\n    \"total\": 10.50\n  }\n}",
            ),
        ),
        (
            Mistake::BodyWrittenAgain,
            of_body("{\"data\":{\"name\":\"Zoë\",\"total\":10.50},\"type\":\"order.paid\"}"),
        ),
        (Mistake::BodyEmpty, of_body("")),
        (Mistake::BodyIsObject, of_body("[object Object]")),
        (Mistake::BodyIsData, of_body("{\"name\":\"Zoë\", \"total\": 10.50}")),
        (Mistake::ContentIsBody, of_content(BODY)),
        (Mistake::ContentLacksId, of_content(&format!("{AT}.{BODY}"))),
        (Mistake::ContentLacksTimestamp, of_content(&format!("{ID}.{BODY}"))),
        (Mistake::ContentSwapped, of_content(&format!("{AT}.{ID}.{BODY}"))),
        (Mistake::ContentLacksDots, of_content(&format!("{ID}{AT}{BODY}"))),
        (Mistake::ContentHasOtherMarks, of_content(&format!("{ID}:{AT}:{BODY}"))),
        (Mistake::TimestampInMilliseconds, of_content(&format!("{ID}.{AT}000.{BODY}"))),
        (Mistake::HashIsSha1, STANDARD.encode(sha1.finalize().into_bytes())),
        (Mistake::HashIsSha512, STANDARD.encode(sha512.finalize().into_bytes())),
        (Mistake::HashHasNoKey, STANDARD.encode(Sha256::digest(&content))),
        (Mistake::KeyIsContent, computed(content.as_bytes(), &key)),
        (Mistake::SignatureInHex, hex(&mac).to_uppercase()),
        (Mistake::SignatureOfHex, STANDARD.encode(hex(&mac))),
        (Mistake::SignatureIsUrlSafe, URL_SAFE.encode(&mac)),
        (Mistake::SignatureIsUrlSafe, URL_SAFE_NO_PAD.encode(&mac)),
        (Mistake::SignatureLacksPadding, STANDARD.encode(&mac).trim_end_matches('=').to_owned()),
        (Mistake::SignatureHasVersion, format!("v1,{}", STANDARD.encode(&mac))),
    ]
}

#[test]
fn what_was_changed_on_the_way_is_named() {
    for (mistake, secret, body) in changes() {
        let received = Received { body, ..sent(BODY) };
        assert_eq!(
            examine(&received, &secret, None),
            Diagnosis::ChangedOnTheWay(vec![mistake]),
            "{received:?}"
        );
    }
    let lines = sent("{\"a\":1,\r\n\"b\":2}");
    let read = Received { body: lines.body.replace("\r\n", "\n"), ..lines };
    assert_eq!(examine(&read, SECRET, None), Diagnosis::ChangedOnTheWay(vec![Mistake::BodyHasOtherLines]));
    let compact = sent("{\"a\":[1,{}],\"b\":[]}");
    let pretty = Received {
        body: String::from("{\n    \"a\": [\n        1,\n        {}\n    ],\n    \"b\": []\n}"),
        ..compact
    };
    assert_eq!(examine(&pretty, SECRET, None), Diagnosis::ChangedOnTheWay(vec![Mistake::BodyWrittenAgain]));
}

#[test]
fn what_code_does_wrong_is_named() {
    for (mistake, computed) in codes() {
        assert_eq!(
            examine(&sent(BODY), SECRET, Some(&computed)),
            Diagnosis::WrongInCode(vec![mistake]),
            "{computed}"
        );
    }
}

#[test]
fn every_mistake_is_made_here_and_has_words() {
    let made: BTreeSet<Mistake> = changes()
        .into_iter()
        .map(|(mistake, ..)| mistake)
        .chain(codes().into_iter().map(|(mistake, _)| mistake))
        .chain([Mistake::BodyHasOtherLines])
        .collect();
    let missing: Vec<_> = Mistake::ALL.into_iter().filter(|mistake| !made.contains(mistake)).collect();
    assert_eq!(missing, []);
    for mistake in Mistake::ALL {
        assert!(mistake.what().ends_with('.') && mistake.fix().ends_with('.'), "{}", mistake.as_str());
    }
    assert!(Mistake::ALL.len() >= 20);
}

#[test]
fn two_mistakes_at_once_are_named() {
    let computed = hex(&hmac(SECRET.as_bytes(), right_content().as_bytes()));
    let found = examine(&sent(BODY), SECRET, Some(&computed));
    assert_eq!(found, Diagnosis::WrongInCode(vec![Mistake::SecretUsedAsText, Mistake::SignatureInHex]));
    let both = Received { body: format!("{BODY}\n"), ..sent(BODY) };
    let found = examine(&both, &format!("{SECRET} "), None);
    assert_eq!(found, Diagnosis::ChangedOnTheWay(vec![Mistake::SecretHasSpace, Mistake::BodyHasNewline]));
}

#[test]
fn what_is_right_is_called_right_and_what_nobody_knows_unknown() {
    let received = sent(BODY);
    let mac = computed(&key(), right_content());
    assert_eq!(examine(&received, SECRET, None), Diagnosis::Right);
    assert_eq!(examine(&received, SECRET, Some(&mac)), Diagnosis::Right);
    assert_eq!(examine(&received, SECRET, Some("  ")), Diagnosis::Right);
    assert_eq!(examine(&received, SECRET, Some("nonsense")), Diagnosis::UnknownInCode);
    let other = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    assert_eq!(examine(&received, other, Some(&mac)), Diagnosis::Unknown);
    assert_eq!(examine(&received, "", None), Diagnosis::Unknown);
    // While a secret is rotated there are two signatures, and either will do.
    let rotated = Received {
        signature: format!("v1a,AAAA v1,{} {}", STANDARD.encode([0; 32]), received.signature),
        ..received
    };
    assert_eq!(examine(&rotated, SECRET, None), Diagnosis::Right);
}

#[test]
fn a_request_is_read_as_people_paste_it() {
    let sent = sent(BODY);
    let (id, signature) = (&sent.id, &sent.signature);
    for text in [
        format!(
            "POST /hook HTTP/1.1\r\nHost: a\r\nWebhook-Id: {id}\r\nwebhook-timestamp: {AT}\r\nWEBHOOK-SIGNATURE: {signature}\r\n\r\n{BODY}"
        ),
        format!("\nwebhook-id:{id}\nwebhook_timestamp: {AT}\nwebhook-signature: {signature}\n\n{BODY}"),
        format!(
            "-H 'webhook-id: {id}' \\\n -H 'webhook-timestamp: {AT}' \\\n -H \"webhook-signature: {signature}\"\n\n{BODY}"
        ),
    ] {
        let read = Received::parse(&text).expect("a request");
        assert_eq!(examine(&read, SECRET, None), Diagnosis::Right, "{text}");
    }
    let missing = Received::parse("webhook-id: a\nwebhook-timestamp: 1\n\n{}");
    assert_eq!(missing, Err(Unreadable::Missing("webhook-signature")));
    assert!(Received::parse("").is_err());
}

#[test]
fn what_stands_out_is_told() {
    let received = sent(BODY);
    let at_s: i64 = AT.parse().expect("a number");
    assert_eq!(doubts(&received, SECRET, at_s + 300), []);
    assert_eq!(doubts(&received, SECRET, at_s + 301), [Doubt::Stale { seconds: 301 }]);
    assert_eq!(doubts(&received, "whsk_AAAA", at_s), [Doubt::SecretIsAsymmetric]);
    assert_eq!(doubts(&received, "hush", at_s), [Doubt::SecretDoesNotRead]);
    let cut = Received { content_length: Some(BODY.len() + 5), ..received.clone() };
    let found = BODY.len();
    assert_eq!(doubts(&cut, SECRET, at_s), [Doubt::OtherLength { declared: found + 5, found }]);
    let odd = Received { timestamp: String::from("soon"), signature: String::from("v1=abc"), ..received };
    assert_eq!(doubts(&odd, SECRET, at_s), [Doubt::NoVersionOne, Doubt::TimestampDoesNotRead]);
    for doubt in [
        Doubt::SecretDoesNotRead,
        Doubt::Stale { seconds: -400 },
        Doubt::OtherLength { declared: 1, found: 2 },
    ] {
        assert!(doubt.to_string().ends_with('.'), "{doubt}");
    }
}
