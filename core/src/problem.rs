//! RFC 9457 problem details: the closed set of errors that the native API answers with.

use serde::{Deserialize, Serialize};
use strum::{EnumCount, IntoStaticStr, VariantArray};

use crate::fault::{Fault, Faults, InputFault, sentence, shorten};
use crate::variants;

/// Bytes of what a problem says at most.
const DETAIL_BYTES_MAX: usize = 1_024;

/// Every kind of error that a client may have to tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[derive(EnumCount, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "kebab-case", const_into_str)]
pub enum ProblemType {
    /// 400: the body is not JSON.
    MalformedJson,
    /// 401: no token, no well-formed token, or one that does not verify.
    Unauthorized,
    /// 403: the token's role does not suffice.
    Forbidden,
    /// 404: no such project, or the token is not one of its tokens.
    ProjectNotFound,
    /// 404: no such webhook, event, delivery, …
    NotFound,
    /// 405
    MethodNotAllowed,
    /// 409: the name is taken.
    NameTaken,
    /// 409: the idempotency key was used with other content.
    IdempotencyConflict,
    /// 409: the thing is in a state in which this can't be done.
    StateConflict,
    /// 412: `If-Match` names another version.
    VersionMismatch,
    /// 413: the body is over the limit.
    BodyTooLarge,
    /// 415: the body is not `application/json`.
    UnsupportedMediaType,
    /// 422: fields are wrong; `errors` names them all.
    InvalidInput,
    /// 429: one address asks too often.
    TooManyRequests,
    /// 429: over a quota of the project; `quota`, `limit` and `used` say which and how far.
    Quota,
    /// 500: our fault; logged under the request id.
    Internal,
    /// 503: the project could not be reached; safe to repeat.
    Unavailable,
    /// 507: the project's store is full; `quota`, `limit` and `used` say how far. What makes it smaller goes
    /// on.
    StorageFull,
}

impl ProblemType {
    /// All of them, for documentation and tests.
    pub const ALL: [Self; Self::COUNT] = variants::array(Self::VARIANTS);

    /// The stable last segment of the `type` URI.
    #[must_use]
    pub const fn id(self) -> &'static str {
        self.into_str()
    }

    /// The HTTP status.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::MalformedJson => 400,
            Self::Unauthorized => 401,
            Self::Forbidden => 403,
            Self::ProjectNotFound | Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::NameTaken | Self::IdempotencyConflict | Self::StateConflict => 409,
            Self::VersionMismatch => 412,
            Self::BodyTooLarge => 413,
            Self::UnsupportedMediaType => 415,
            Self::InvalidInput => 422,
            Self::TooManyRequests | Self::Quota => 429,
            Self::Internal => 500,
            Self::Unavailable => 503,
            Self::StorageFull => 507,
        }
    }

    /// The short summary, the same for every occurrence.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::MalformedJson => "The body is not valid JSON",
            Self::Unauthorized => "A valid token is needed",
            Self::Forbidden => "The token's role does not allow this",
            Self::ProjectNotFound => "No such project",
            Self::NotFound => "Not found",
            Self::MethodNotAllowed => "Method not allowed",
            Self::NameTaken => "The name is taken",
            Self::IdempotencyConflict => "The idempotency key was used with other content",
            Self::StateConflict => "Not possible in this state",
            Self::VersionMismatch => "Changed by somebody else in the meantime",
            Self::BodyTooLarge => "The body is too large",
            Self::UnsupportedMediaType => "The body must be application/json",
            Self::InvalidInput => "Some fields are wrong",
            Self::TooManyRequests => "Too many requests",
            Self::Quota => "Over a quota of this project",
            Self::Internal => "Something broke on our side",
            Self::Unavailable => "The project could not be reached",
            Self::StorageFull => "The project's store is full",
        }
    }

    /// The `type` URI.
    #[must_use]
    pub fn uri(self) -> String {
        format!("https://postern.dev/problems/{}", self.id())
    }

    /// The kind that a `type` URI names.
    #[must_use]
    pub fn from_uri(uri: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.uri() == uri)
    }
}

/// The problem document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Problem {
    /// Which kind of problem it is: one of a closed set of URIs.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened this time, and what to do.
    pub detail: String,
    /// Which quota; only where one is exceeded, as what follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota: Option<crate::quota::Quota>,
    /// Its limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// What is used of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<u64>,
    /// Seconds after which it may be repeated, where time helps; the `retry-after` header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<u32>,
    /// The request under which it is logged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Every bad field, at most 50 of them; only with status 422.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Fault>,
    /// How many more there are than `errors` names; left out where it names all.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more_errors: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes what it asks about by reference")]
const fn is_zero(count: &u32) -> bool {
    *count == 0
}

impl Problem {
    /// Our own fault: the client learns nothing of its cause, which is logged under the request's id.
    #[must_use]
    pub fn internal() -> Self {
        Self::new(ProblemType::Internal, "try again; if it keeps failing, report the request id")
    }

    /// A problem without field errors. What it says is cut where it is longer than 1 KiB.
    #[must_use]
    pub fn new(kind: ProblemType, detail: impl Into<String>) -> Self {
        let mut detail = detail.into();
        shorten(&mut detail, DETAIL_BYTES_MAX);
        Self {
            kind: kind.uri(),
            title: String::from(kind.title()),
            quota: None,
            limit: None,
            used: None,
            retry_after_s: None,
            status: kind.status(),
            detail,
            request_id: None,
            errors: Vec::new(),
            more_errors: 0,
        }
    }

    /// [`ProblemType::InvalidInput`] with every bad field.
    #[must_use]
    pub fn invalid(faults: impl Into<Faults>) -> Self {
        let faults = faults.into();
        let detail = match (&*faults, faults.more()) {
            ([only], 0) if only.pointer.is_empty() => only.detail.clone(),
            ([only], 0) => format!("{}: {}", only.pointer, only.detail),
            (many, 0) => format!("{} fields are wrong", many.len()),
            (many, more) => format!("{} fields are wrong, and {more} more", many.len()),
        };
        Self {
            more_errors: faults.more(),
            errors: faults.into_named(),
            ..Self::new(ProblemType::InvalidInput, detail)
        }
    }

    /// One line that names everything, for APIs whose errors are a single text (docs/wire.md A.6).
    #[must_use]
    pub fn sentence(&self) -> String {
        if self.errors.is_empty() { self.detail.clone() } else { sentence(&self.errors, self.more_errors) }
    }

    /// The same problem for somebody whose whole input stood at `place` of what was checked, such as
    /// `/events/0`: neither a pointer nor the detail names what the sender has not written.
    #[must_use]
    pub fn below(mut self, place: &str) -> Self {
        for fault in &mut self.errors {
            if let Some(below) = fault.pointer.strip_prefix(place) {
                fault.pointer = String::from(below);
            }
        }
        if let Some(below) = self.detail.strip_prefix(place) {
            self.detail = String::from(below.trim_start_matches(": "));
        }
        self
    }

    /// The kind, where the document is one of ours.
    #[must_use]
    pub fn problem_type(&self) -> Option<ProblemType> {
        ProblemType::from_uri(&self.kind)
    }

    /// [`ProblemType::Quota`] with what is over; [`ProblemType::StorageFull`] where that is bytes.
    #[must_use]
    pub fn over_quota(exceeded: crate::quota::Exceeded) -> Self {
        let kind = match exceeded.quota {
            crate::quota::Quota::StoredBytes => ProblemType::StorageFull,
            _ => ProblemType::Quota,
        };
        Self {
            quota: Some(exceeded.quota),
            limit: Some(exceeded.limit),
            used: Some(exceeded.used),
            retry_after_s: exceeded.retry_after_s,
            ..Self::new(kind, exceeded.to_string())
        }
    }
}

impl From<InputFault> for Problem {
    fn from(fault: InputFault) -> Self {
        match fault {
            InputFault::Malformed(detail) => Self::new(ProblemType::MalformedJson, detail),
            InputFault::Invalid(faults) => Self::invalid(faults),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_input_is_told_without_the_place_that_it_was_given() {
        let single = |pointer: &str| {
            Problem::invalid(vec![Fault::new(pointer, "must be a number")]).below("/events/0")
        };
        for (pointer, below, detail) in [
            ("/events/0/data/n", "/data/n", "/data/n: must be a number"),
            ("/events/0", "", "must be a number"),
            ("/type", "/type", "/type: must be a number"),
        ] {
            let problem = single(pointer);
            assert_eq!((problem.errors[0].pointer.as_str(), problem.detail.as_str()), (below, detail));
        }
        let faults = vec![Fault::new("/events/0/data/a", "x"), Fault::new("/events/0/data/b", "y")];
        let many = Problem::invalid(faults).below("/events/0");
        assert_eq!(
            many.errors.iter().map(|fault| fault.pointer.as_str()).collect::<Vec<_>>(),
            ["/data/a", "/data/b"]
        );
    }

    #[test]
    fn a_refusal_is_bounded_whatever_is_wrong() {
        let faults: Faults = (0..1_000)
            .map(|n| Fault::new(format!("/{n}/{}", "k/".repeat(5_000)), "x".repeat(5_000)))
            .collect();
        let problem = Problem::invalid(faults);
        assert_eq!((problem.errors.len(), problem.more_errors), (50, 950));
        assert_eq!(problem.detail, "50 fields are wrong, and 950 more");
        let (json, line) = (serde_json::to_string(&problem).unwrap_or_default(), problem.sentence());
        assert!(json.contains(r#""more_errors":950"#) && json.len() < 50 * 1_024, "{} bytes", json.len());
        assert!(line.ends_with("; and 950 more") && line.len() < 50 * 1_024, "{} bytes", line.len());
        let few =
            serde_json::to_string(&Problem::invalid(vec![Fault::new("/a", "is wrong")])).unwrap_or_default();
        assert!(!few.contains("more_errors"), "{few}");
        assert!(Problem::new(ProblemType::NotFound, "x".repeat(100_000)).detail.len() <= DETAIL_BYTES_MAX);
    }

    #[test]
    fn a_full_store_is_told_apart_from_other_quotas_and_says_what_helps() {
        use crate::quota::{Exceeded, Quota};
        let over = |quota| {
            Problem::over_quota(Exceeded { quota, limit: 10, used: 9, more: 2, retry_after_s: Some(60) })
        };
        let full = over(Quota::StoredBytes);
        assert_eq!((full.status, full.problem_type()), (507, Some(ProblemType::StorageFull)));
        assert_eq!((full.quota, full.limit, full.used), (Some(Quota::StoredBytes), Some(10), Some(9)));
        assert!(full.detail.contains("shorten the retention"), "{}", full.detail);
        assert_eq!(over(Quota::Webhooks).status, 429);
    }

    #[test]
    fn every_kind_is_found_again_by_its_uri() {
        for kind in ProblemType::ALL {
            assert_eq!(ProblemType::from_uri(&kind.uri()), Some(kind));
            assert!((400..600).contains(&kind.status()));
        }
    }
}
