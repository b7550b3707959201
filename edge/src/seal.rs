//! Secrets at rest: AES-256-GCM under a key from the Worker secret `SEALING_KEYS`.
//!
//! Sealed text is `s1.{key id}.{base64url(nonce | ciphertext)}`. The associated data binds it to project,
//! owner (the webhook or test) and field, so a sealed value that is copied somewhere else does not open
//! there. The field of a header is its name, not its position: reordering headers keeps their sealed values
//! valid. Current and previous signing secrets share one field: a rotation moves sealed text without opening
//! it.
//!
//! The project object seals before the ledger sees a definition; the dispatcher unseals just before it signs.
//! Stores and messages only ever hold sealed text.

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use postern_core::time::Timestamp;
use postern_core::webhook::{Definition, ProjectName, RetiredSecret};

use crate::clock::{self, NoRandomness};

/// Bytes of a GCM nonce. Random 96-bit nonces are safe for 2^32 seals under one key (NIST SP 800-38D 8.3).
const NONCE_BYTES: usize = 12;
/// In front of every sealed text; the digit is the format's version.
const PREFIX: &str = "s1.";

/// What is wrong with `SEALING_KEYS`.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum KeyringFault {
    /// Nothing in it.
    #[error("SEALING_KEYS holds no key")]
    Empty,
    /// An entry has not the form `id:base64`.
    #[error("entry {0} of SEALING_KEYS is not id:base64, with an id of letters and digits")]
    Form(usize),
    /// A key has the wrong length.
    #[error("entry {0} of SEALING_KEYS does not hold 32 bytes of base64")]
    Length(usize),
}

/// Why a sealed text does not open, or a plain one cannot be sealed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SealFault {
    /// Not of the form `s1.{key id}.{base64url}`.
    #[error("is not sealed text")]
    Form,
    /// Sealed under a key that is not in `SEALING_KEYS` (any more).
    #[error("is sealed under key {0}, which SEALING_KEYS does not hold")]
    UnknownKey(String),
    /// Changed, or sealed for another project, webhook or field.
    #[error("does not open: it was changed or belongs elsewhere")]
    Tampered,
    /// The cipher refused.
    #[error("could not be sealed")]
    Cipher,
    /// No nonce.
    #[error(transparent)]
    Nonce(#[from] NoRandomness),
}

/// The sealing keys; the first seals, all open.
pub(crate) struct Keyring {
    keys: Vec<(String, Aes256Gcm)>,
}

impl Keyring {
    /// Reads `k2:<base64 of 32 bytes>,k1:<base64 of 32 bytes>`.
    ///
    /// # Errors
    /// What is wrong with which entry; never repeats a key.
    pub(crate) fn parse(text: &str) -> Result<Self, KeyringFault> {
        let mut keys = Vec::new();
        for (at, entry) in text.split(',').map(str::trim).filter(|entry| !entry.is_empty()).enumerate() {
            let number = at + 1;
            let (id, key) = entry.split_once(':').ok_or(KeyringFault::Form(number))?;
            let id_fits = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
            if !id_fits {
                return Err(KeyringFault::Form(number));
            }
            let bytes = STANDARD.decode(key).ok().ok_or(KeyringFault::Length(number))?;
            let cipher = Aes256Gcm::new_from_slice(&bytes).ok().ok_or(KeyringFault::Length(number))?;
            keys.push((String::from(id), cipher));
        }
        if keys.is_empty() { Err(KeyringFault::Empty) } else { Ok(Self { keys }) }
    }

    /// The id of the key that seals.
    pub(crate) fn current(&self) -> &str {
        self.keys.first().map_or("", |(id, _cipher)| id.as_str())
    }

    /// Whether `sealed` is under the key that seals.
    pub(crate) fn is_current(&self, sealed: &str) -> bool {
        parts_of(sealed).is_some_and(|(id, _text)| id == self.current())
    }

    /// Whether the key of all that must open in `sealed` is among these. Opens nothing.
    pub(crate) fn holds_keys_of(&self, sealed: &Definition) -> bool {
        let values = sealed.headers.iter().filter(|header| header.protected).map(|header| &header.value);
        let mut texts = sealed.secret.iter().chain(values);
        texts.all(|text| {
            parts_of(text).is_some_and(|(id, _text)| self.keys.iter().any(|(known, _cipher)| known == id))
        })
    }

    fn seal(&self, nonce: [u8; NONCE_BYTES], place: &str, plain: &str) -> Result<String, SealFault> {
        let (id, cipher) = self.keys.first().ok_or(SealFault::Cipher)?;
        let payload = Payload { msg: plain.as_bytes(), aad: place.as_bytes() };
        let ciphertext = cipher.encrypt(&Nonce::from(nonce), payload).ok().ok_or(SealFault::Cipher)?;
        let mut bytes = nonce.to_vec();
        bytes.extend(ciphertext);
        Ok(format!("{PREFIX}{id}.{}", URL_SAFE_NO_PAD.encode(bytes)))
    }

    fn open(&self, place: &str, sealed: &str) -> Result<String, SealFault> {
        let (id, text) = parts_of(sealed).ok_or(SealFault::Form)?;
        let (_, cipher) = self
            .keys
            .iter()
            .find(|(known, _)| known == id)
            .ok_or_else(|| SealFault::UnknownKey(String::from(id)))?;
        let bytes = URL_SAFE_NO_PAD.decode(text).ok().ok_or(SealFault::Form)?;
        let (nonce, ciphertext) = bytes.split_first_chunk::<NONCE_BYTES>().ok_or(SealFault::Form)?;
        let payload = Payload { msg: ciphertext, aad: place.as_bytes() };
        let plain = cipher.decrypt(&Nonce::from(*nonce), payload).ok().ok_or(SealFault::Tampered)?;
        String::from_utf8(plain).ok().ok_or(SealFault::Tampered)
    }
}

/// The id of the key that a sealed text is under, and what is sealed, as base64url.
fn parts_of(sealed: &str) -> Option<(&str, &str)> {
    sealed.strip_prefix(PREFIX)?.split_once('.')
}

/// Whose secrets: a webhook or a test of a project, by its public id.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Owner<'a> {
    /// The project.
    pub(crate) project: &'a ProjectName,
    /// `whk_…` or `tst_…`
    pub(crate) id: &'a str,
}

impl Owner<'_> {
    fn place_of(&self, field: &str) -> String {
        format!("{}/{}/{field}", self.project.as_str(), self.id)
    }

    fn secret_place(&self) -> String {
        format!("{}/{}/secret", self.project.as_str(), self.id)
    }

    fn header_place(&self, key: &str) -> String {
        format!("{}/{}/header/{}", self.project.as_str(), self.id, key.to_ascii_lowercase())
    }
}

/// Seals the secret and the protected header values of `definition`. What `current` (sealed) already holds at
/// the same place is kept as it is: an update that does not name a secret hands its sealed text through.
///
/// # Errors
/// No randomness for a nonce, or a cipher failure.
pub(crate) fn seal(
    keyring: &Keyring,
    owner: Owner<'_>,
    definition: &Definition,
    current: Option<&Definition>,
) -> Result<Definition, SealFault> {
    let mut sealed = definition.clone();
    let kept_secret = current.and_then(|current| current.secret.as_deref());
    if let Some(secret) = &mut sealed.secret
        && kept_secret != Some(secret.as_str())
    {
        *secret = keyring.seal(clock::random()?, &owner.secret_place(), secret)?;
    }
    for header in sealed.headers.iter_mut().filter(|header| header.protected) {
        if !current.is_some_and(|current| header.is_kept_from(&current.headers)) {
            header.value = keyring.seal(clock::random()?, &owner.header_place(&header.key), &header.value)?;
        }
    }
    Ok(sealed)
}

/// Seals again what of `sealed` is not under the current key; `None` where all of it is. What has expired at
/// `now` is dropped.
///
/// # Errors
/// See [`unseal`] and [`seal`].
pub(crate) fn reseal(
    keyring: &Keyring,
    owner: Owner<'_>,
    sealed: &Definition,
    now: Timestamp,
) -> Result<Option<Definition>, SealFault> {
    let secrets = sealed.secret.iter().chain(sealed.previous_secrets.iter().map(|retired| &retired.secret));
    let values = sealed.headers.iter().filter(|header| header.protected).map(|header| &header.value);
    if secrets.chain(values).all(|text| keyring.is_current(text)) {
        return Ok(None);
    }
    let plain = unseal(keyring, owner, sealed)?;
    let mut fresh = seal(keyring, owner, &plain, None)?;
    fresh.previous_secrets.retain(|retired| retired.expires_at > now);
    for retired in &mut fresh.previous_secrets {
        retired.secret = keyring.seal(clock::random()?, &owner.secret_place(), &retired.secret)?;
    }
    Ok(Some(fresh))
}

/// Opens the secrets and the protected header values of a sealed definition. A previous secret that does not
/// open is left out: it only signs beside the current one, and its key may have been taken out of
/// `SEALING_KEYS` since.
///
/// # Errors
/// Any other does not open: its key is gone, or it was changed or moved.
pub(crate) fn unseal(
    keyring: &Keyring,
    owner: Owner<'_>,
    sealed: &Definition,
) -> Result<Definition, SealFault> {
    let mut plain = sealed.clone();
    plain.secret = unseal_secret(keyring, owner, sealed)?;
    plain.previous_secrets = sealed
        .previous_secrets
        .iter()
        .filter_map(|retired| unseal_retired(keyring, owner, retired))
        .collect();
    for header in plain.headers.iter_mut().filter(|header| header.protected) {
        header.value = keyring.open(&owner.header_place(&header.key), &header.value)?;
    }
    Ok(plain)
}

fn unseal_retired(keyring: &Keyring, owner: Owner<'_>, sealed: &RetiredSecret) -> Option<RetiredSecret> {
    let secret = keyring.open(&owner.secret_place(), &sealed.secret).ok()?;
    Some(RetiredSecret { secret, expires_at: sealed.expires_at })
}

/// Opens every secret that signs at `now`, the current one first; those that do not open are left out.
pub(crate) fn unseal_signing_secrets(
    keyring: &Keyring,
    owner: Owner<'_>,
    sealed: &Definition,
    now: Timestamp,
) -> Vec<String> {
    let place = owner.secret_place();
    sealed.signing_secrets(now).filter_map(|secret| keyring.open(&place, secret).ok()).collect()
}

/// Opens the signing secret alone.
///
/// # Errors
/// See [`unseal`].
pub(crate) fn unseal_secret(
    keyring: &Keyring,
    owner: Owner<'_>,
    sealed: &Definition,
) -> Result<Option<String>, SealFault> {
    sealed.secret.as_deref().map(|secret| keyring.open(&owner.secret_place(), secret)).transpose()
}

/// The place of a run's credentials: all of its addresses share it.
pub(crate) const AUTHORIZATION: &str = "authorization";

/// Seals one text of `owner` that stands in no definition.
///
/// # Errors
/// See [`seal`].
pub(crate) fn seal_text(
    keyring: &Keyring,
    owner: Owner<'_>,
    field: &str,
    plain: &str,
) -> Result<String, SealFault> {
    keyring.seal(clock::random()?, &owner.place_of(field), plain)
}

/// Opens what [`seal_text`] has sealed.
///
/// # Errors
/// See [`unseal`].
pub(crate) fn open_text(
    keyring: &Keyring,
    owner: Owner<'_>,
    field: &str,
    sealed: &str,
) -> Result<String, SealFault> {
    keyring.open(&owner.place_of(field), sealed)
}

#[cfg(test)]
mod tests {
    use postern_core::webhook::{Contract, Header, WebhookName};

    use super::*;

    const KEY_1: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
    const KEY_2: &str = "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=";

    fn keyring(text: &str) -> Keyring {
        Keyring::parse(text).unwrap()
    }

    fn project(name: &str) -> ProjectName {
        ProjectName::parse(name).unwrap()
    }

    fn header(key: &str, value: &str, protected: bool) -> Header {
        Header { key: String::from(key), value: String::from(value), protected }
    }

    fn definition(headers: Vec<Header>) -> Definition {
        Definition {
            headers,
            secret: Some(String::from("whsec_plain")),
            ..Definition::new(
                WebhookName::parse("w").unwrap(),
                "https://example.com/",
                Contract::Standard,
                Vec::new(),
            )
        }
    }

    #[test]
    fn what_is_sealed_opens_again_and_shows_nothing() {
        let ring = keyring(&format!("k1:{KEY_1}"));
        let owner = Owner { project: &project("p1"), id: "whk_1" };
        let plain = definition(vec![header("Authorization", "Bearer t", true), header("X-A", "1", false)]);
        let sealed = seal(&ring, owner, &plain, None).unwrap();
        let text = serde_json::to_string(&sealed).unwrap();
        assert!(!text.contains("whsec_plain") && !text.contains("Bearer t"));
        assert!(text.contains("\"value\":\"1\""));
        assert_eq!(unseal(&ring, owner, &sealed).unwrap(), plain);
    }

    #[test]
    fn a_sealed_value_opens_nowhere_else() {
        let ring = keyring(&format!("k1:{KEY_1}"));
        let here = project("p1");
        let there = project("p2");
        let sealed = seal(
            &ring,
            Owner { project: &here, id: "whk_1" },
            &definition(vec![header("a", "1", true)]),
            None,
        )
        .unwrap();
        for owner in [Owner { project: &there, id: "whk_1" }, Owner { project: &here, id: "whk_2" }] {
            assert!(matches!(unseal(&ring, owner, &sealed), Err(SealFault::Tampered)));
        }
        let mut renamed = sealed;
        renamed.headers[0].key = String::from("b");
        assert!(matches!(
            unseal(&ring, Owner { project: &here, id: "whk_1" }, &renamed),
            Err(SealFault::Tampered)
        ));
    }

    #[test]
    fn an_update_keeps_the_sealed_text_of_what_it_does_not_name() {
        let ring = keyring(&format!("k1:{KEY_1}"));
        let owner = Owner { project: &project("p1"), id: "whk_1" };
        let current =
            seal(&ring, owner, &definition(vec![header("a", "1", true), header("b", "2", true)]), None)
                .unwrap();
        let mut update = current.clone();
        update.headers.reverse();
        update.headers[1].value = String::from("new");
        let sealed = seal(&ring, owner, &update, Some(&current)).unwrap();
        assert_eq!(sealed.secret, current.secret);
        assert_eq!(sealed.headers[0].value, current.headers[1].value);
        let opened = unseal(&ring, owner, &sealed).unwrap();
        assert_eq!(opened.headers, [header("b", "2", true), header("a", "new", true)]);
    }

    #[test]
    fn a_rotated_secret_opens_from_where_it_was_moved_to() {
        let ring = keyring(&format!("k1:{KEY_1}"));
        let owner = Owner { project: &project("p1"), id: "whk_1" };
        let current = seal(&ring, owner, &definition(Vec::new()), None).unwrap();
        let mut rotated = current.clone();
        rotated.rotate_secret(String::from("whsec_new"), 60, Timestamp(0));
        let sealed = seal(&ring, owner, &rotated, Some(&current)).unwrap();
        assert!(!serde_json::to_string(&sealed).unwrap().contains("whsec_"));
        let opened = unseal(&ring, owner, &sealed).unwrap();
        let previous = [RetiredSecret { secret: String::from("whsec_plain"), expires_at: Timestamp(60_000) }];
        assert_eq!(
            (opened.secret.as_deref(), opened.previous_secrets.as_slice()),
            (Some("whsec_new"), &previous[..])
        );
    }

    #[test]
    fn a_previous_secret_whose_key_is_gone_is_left_out() {
        let owner = Owner { project: &project("p1"), id: "whk_1" };
        let old = seal(&keyring(&format!("k1:{KEY_1}")), owner, &definition(Vec::new()), None).unwrap();
        let only_new = keyring(&format!("k2:{KEY_2}"));
        let mut rotated = old.clone();
        rotated.rotate_secret(String::from("whsec_new"), 60, Timestamp(0));
        let sealed = seal(&only_new, owner, &rotated, Some(&old)).unwrap();
        let opened = unseal(&only_new, owner, &sealed).unwrap();
        assert_eq!((opened.secret.as_deref(), opened.previous_secrets.len()), (Some("whsec_new"), 0));
    }

    #[test]
    fn a_new_first_key_seals_and_the_old_one_still_opens() {
        let owner = Owner { project: &project("p1"), id: "whk_1" };
        let old = seal(&keyring(&format!("k1:{KEY_1}")), owner, &definition(Vec::new()), None).unwrap();
        let both = keyring(&format!("k2:{KEY_2},k1:{KEY_1}"));
        assert_eq!(unseal_secret(&both, owner, &old).unwrap().as_deref(), Some("whsec_plain"));
        let new = seal(&both, owner, &definition(Vec::new()), None).unwrap();
        assert!(new.secret.as_deref().is_some_and(|text| text.starts_with("s1.k2.")));
        let only_old = keyring(&format!("k1:{KEY_1}"));
        assert!(
            matches!(unseal_secret(&only_old, owner, &new), Err(SealFault::UnknownKey(id)) if id == "k2")
        );
    }

    #[test]
    fn everything_moves_to_the_new_key_and_the_old_one_is_no_longer_needed() {
        let owner = Owner { project: &project("p1"), id: "whk_1" };
        let old_ring = keyring(&format!("k1:{KEY_1}"));
        let mut old =
            seal(&old_ring, owner, &definition(vec![header("a", "1", true), header("b", "2", false)]), None)
                .unwrap();
        let plain_secret = String::from("whsec_new");
        old.rotate_secret(plain_secret.clone(), 60, Timestamp(0));
        old.secret = Some(old_ring.seal([1; NONCE_BYTES], &owner.secret_place(), &plain_secret).unwrap());
        let both = keyring(&format!("k2:{KEY_2},k1:{KEY_1}"));
        let moved = reseal(&both, owner, &old, Timestamp(1)).unwrap().unwrap();
        let only_new = keyring(&format!("k2:{KEY_2}"));
        assert_eq!(unseal(&only_new, owner, &moved).unwrap(), unseal(&old_ring, owner, &old).unwrap());
        assert_eq!(reseal(&both, owner, &moved, Timestamp(1)).unwrap(), None, "there is nothing left to do");
        let later = reseal(&both, owner, &old, Timestamp(60_000)).unwrap().unwrap();
        assert_eq!(later.previous_secrets, [], "what has expired is not moved");
        assert!(reseal(&only_new, owner, &old, Timestamp(1)).is_err(), "the old key was taken out too early");
    }

    #[test]
    fn a_bad_keyring_is_named_without_its_keys() {
        let check =
            |text: &str, fault: KeyringFault| assert_eq!(Keyring::parse(text).err(), Some(fault), "{text}");
        check("", KeyringFault::Empty);
        check("k1", KeyringFault::Form(1));
        check(":AAAA", KeyringFault::Form(1));
        check("k1:AAAA", KeyringFault::Length(1));
        check(&format!("k1:{KEY_1},k2:x"), KeyringFault::Length(2));
    }

    #[test]
    fn what_is_no_sealed_text_is_refused() {
        let ring = keyring(&format!("k1:{KEY_1}"));
        for text in ["", "whsec_x", "s1.k1", "s1.k1.!", "s1.k1.AAAA"] {
            assert!(matches!(ring.open("p", text), Err(SealFault::Form)), "{text}");
        }
    }
}
