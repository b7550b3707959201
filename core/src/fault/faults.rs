//! What is wrong with one input: faults with their pointers, bounded in number and size.

use serde::{Deserialize, Serialize};

use super::shown::shorten;

/// Characters of an outside field name that a fault repeats at most.
const POINTER_KEY_CHARS_MAX: usize = 100;

/// Faults of one input that are named at most; the others are counted.
pub const FAULTS_MAX: usize = 50;

/// Bytes of a fault's pointer at most.
pub const POINTER_BYTES_MAX: usize = 256;

/// Bytes of a fault's words at most.
pub const DETAIL_BYTES_MAX: usize = 512;

/// One thing that is wrong with an input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Fault {
    /// RFC 6901 pointer into the body, such as `/headers/0/key`; `""` is the whole body. Query parameters are
    /// pointed at as `?name`.
    pub pointer: String,
    /// What is wrong and what would be right, in words for the person who wrote the input. Never repeats a
    /// secret.
    pub detail: String,
}

impl Fault {
    /// A fault at `pointer`. A pointer of more than [`POINTER_BYTES_MAX`] bytes becomes that of the nearest
    /// part around it that has a shorter one, words of more than [`DETAIL_BYTES_MAX`] bytes are cut.
    #[must_use]
    pub fn new(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        let (mut pointer, mut detail) = (pointer.into(), detail.into());
        if pointer.len() > POINTER_BYTES_MAX {
            pointer.truncate(pointer.floor_char_boundary(POINTER_BYTES_MAX));
            pointer.truncate(pointer.rfind('/').unwrap_or(pointer.len()));
            detail.insert_str(0, "further below: ");
        }
        shorten(&mut detail, DETAIL_BYTES_MAX);
        Self { pointer, detail }
    }
}

/// What is wrong with one input: the first [`FAULTS_MAX`] faults, and how many more there are.
///
/// It reads as the slice of those that are named.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Faults {
    named: Vec<Fault>,
    more: u32,
}

impl Faults {
    /// Notes a fault, or counts it where enough are named.
    pub fn push(&mut self, fault: Fault) {
        self.push_with(|| fault);
    }

    /// Notes a fault that is only made where it is named.
    pub fn push_with(&mut self, fault: impl FnOnce() -> Fault) {
        if self.is_full() {
            self.more = self.more.saturating_add(1);
        } else {
            self.named.push(fault());
        }
    }

    /// Takes over the faults of a part.
    pub fn absorb(&mut self, part: impl Into<Self>) {
        let part = part.into();
        self.extend(part.named);
        self.more = self.more.saturating_add(part.more);
    }

    /// Each named one, changed.
    #[must_use]
    pub fn map(self, change: impl FnMut(Fault) -> Fault) -> Self {
        Self { named: self.named.into_iter().map(change).collect(), more: self.more }
    }

    /// Whether as many are named as may be: more of the input need not be read to refuse it.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.named.len() >= FAULTS_MAX
    }

    /// How many there are beside those that are named.
    #[must_use]
    pub const fn more(&self) -> u32 {
        self.more
    }

    /// Those that are named.
    #[must_use]
    pub fn into_named(self) -> Vec<Fault> {
        self.named
    }

    /// All of them in one line: see [`sentence`].
    #[must_use]
    pub fn sentence(&self) -> String {
        sentence(&self.named, self.more)
    }
}

impl std::ops::Deref for Faults {
    type Target = [Fault];

    fn deref(&self) -> &[Fault] {
        &self.named
    }
}

impl Extend<Fault> for Faults {
    fn extend<T: IntoIterator<Item = Fault>>(&mut self, faults: T) {
        faults.into_iter().for_each(|fault| self.push(fault));
    }
}

impl FromIterator<Fault> for Faults {
    fn from_iter<T: IntoIterator<Item = Fault>>(faults: T) -> Self {
        let mut collected = Self::default();
        collected.extend(faults);
        collected
    }
}

impl IntoIterator for Faults {
    type Item = Fault;
    type IntoIter = std::vec::IntoIter<Fault>;

    /// Those that are named.
    fn into_iter(self) -> Self::IntoIter {
        self.named.into_iter()
    }
}

impl From<Vec<Fault>> for Faults {
    fn from(faults: Vec<Fault>) -> Self {
        faults.into_iter().collect()
    }
}

impl From<Fault> for Faults {
    fn from(fault: Fault) -> Self {
        Self { named: vec![fault], more: 0 }
    }
}

/// All faults in one line: `url: must start with https://; timeout: must be …; and 3 more`.
#[must_use]
pub fn sentence(faults: &[Fault], more: u32) -> String {
    let mut parts: Vec<String> = faults
        .iter()
        .map(|fault| match fault.pointer.trim_start_matches(['/', '?']) {
            "" => fault.detail.clone(),
            pointer => format!(
                "{}: {}",
                pointer.replace('/', ".").replace("~1", "/").replace("~0", "~"),
                fault.detail
            ),
        })
        .collect();
    if more > 0 {
        parts.push(format!("and {more} more"));
    }
    parts.join("; ")
}

/// `text` as one segment of a JSON pointer (RFC 6901 section 3), cut where somebody sends a novel.
pub(crate) fn pointer_segment(text: &str) -> String {
    text.chars().take(POINTER_KEY_CHARS_MAX).collect::<String>().replace('~', "~0").replace('/', "~1")
}
