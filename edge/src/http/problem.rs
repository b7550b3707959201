//! What a handler gives back: an [`Answer`] or an [`ApiError`], and how each becomes an HTTP answer.
//!
//! Handlers never touch `worker::Response`, so all of this is tested natively. `respond` is the one place
//! where headers that every answer carries are set.

use futures_util::TryStream;
use postern_core::fault::InputFault;
use postern_core::operation::Method;
use postern_core::problem::{Problem, ProblemType};
use serde::Serialize;
use worker::{Headers, Response, ResponseBuilder};

use crate::log::{self, RequestId};
use crate::project_do::call::CallError;

/// What a handler failed with.
#[derive(Debug)]
pub(crate) enum ApiError {
    /// The client is told this.
    Problem(Box<Problem>),
    /// The path exists, the method does not; these do.
    Method {
        /// What it takes, for the `Allow` header.
        allow: Vec<Method>,
    },
    /// Logged once, with its causes; the client gets the request id and nothing else.
    Internal(String),
    /// The deployment can't be used as it is configured. Logged, and told in full: it names a variable and
    /// never its value.
    Misconfigured(String),
}

impl ApiError {
    /// A problem without field errors.
    pub(crate) fn problem(kind: ProblemType, detail: impl Into<String>) -> Self {
        Self::Problem(Box::new(Problem::new(kind, detail)))
    }

    /// Our own fault, with all its causes.
    pub(crate) fn internal(error: &dyn std::error::Error) -> Self {
        Self::Internal(log::chain(error))
    }

    /// The problem that the client is told. An internal error is logged here, and only here.
    pub(crate) fn into_problem(self, id: &RequestId) -> Problem {
        let problem = match self {
            Self::Problem(problem) => *problem,
            Self::Method { allow } => Problem::new(
                ProblemType::MethodNotAllowed,
                format!("this path takes {}", Method::list(&allow)),
            ),
            Self::Internal(error) => {
                log::error(id, "request failed", &[("error", &error)]);
                Problem::internal()
            }
            Self::Misconfigured(fault) => {
                log::error(id, "the deployment is not configured", &[("error", &fault)]);
                misconfigured(&fault)
            }
        };
        Problem { request_id: Some(String::from(id.as_str())), ..problem }
    }

    /// The `Allow` header of a 405.
    pub(crate) fn allow(&self) -> Option<String> {
        match self {
            Self::Method { allow } => Some(Method::list(allow)),
            Self::Problem(_) | Self::Internal(_) | Self::Misconfigured(_) => None,
        }
    }
}

fn misconfigured(fault: &str) -> Problem {
    Problem::new(ProblemType::Internal, format!("this deployment is not configured: {fault}"))
}

impl From<Problem> for ApiError {
    fn from(problem: Problem) -> Self {
        Self::Problem(Box::new(problem))
    }
}

impl From<InputFault> for ApiError {
    fn from(fault: InputFault) -> Self {
        Self::from(Problem::from(fault))
    }
}

impl From<worker::Error> for ApiError {
    fn from(error: worker::Error) -> Self {
        Self::internal(&error)
    }
}

impl From<crate::config::ConfigFault> for ApiError {
    fn from(error: crate::config::ConfigFault) -> Self {
        Self::Misconfigured(log::chain(&error))
    }
}

impl From<CallError> for ApiError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Refused(problem) => Self::Problem(problem),
            CallError::Unreachable(_) => Self::problem(
                ProblemType::Unavailable,
                "the project is busy or being moved; the call is safe to repeat with the same Idempotency-Key",
            ),
            CallError::Failed(_) | CallError::Unexpected(_) => Self::internal(&error),
        }
    }
}

impl From<crate::clock::NoRandomness> for ApiError {
    fn from(error: crate::clock::NoRandomness) -> Self {
        Self::internal(&error)
    }
}

impl From<serde_json::Error> for ApiError {
    fn from(error: serde_json::Error) -> Self {
        Self::internal(&error)
    }
}

/// An HTTP answer as a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// HTTP status.
    pub(crate) status: u16,
    /// Beside those that every answer has.
    pub(crate) headers: Vec<(&'static str, String)>,
    /// `None` for an answer without one.
    pub(crate) body: Option<String>,
}

impl Answer {
    /// JSON text of `value`.
    ///
    /// # Errors
    /// It does not serialise: a bug.
    pub(crate) fn json<T: Serialize>(status: u16, value: &T) -> Result<Self, ApiError> {
        Ok(Self::json_text(status, serde_json::to_string(value)?))
    }

    /// JSON that is text already.
    pub(crate) fn json_text(status: u16, body: String) -> Self {
        Self { status, headers: vec![("content-type", String::from("application/json"))], body: Some(body) }
    }

    /// 204.
    pub(crate) const fn no_content() -> Self {
        Self { status: 204, headers: Vec::new(), body: None }
    }

    /// With `retry-after` where the problem says when to try again.
    pub(crate) fn that_waits(self, problem: &Problem) -> Self {
        match problem.retry_after_s {
            Some(seconds) => self.with("retry-after", seconds.to_string()),
            None => self,
        }
    }

    /// With one more header.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// What an operation gives.
pub(crate) enum Outcome {
    /// An answer as a value.
    Answer(Answer),
    /// The platform's own answer: an upgrade, or a stream.
    Response(Response),
}

impl From<Answer> for Outcome {
    fn from(answer: Answer) -> Self {
        Self::Answer(answer)
    }
}

/// The native API's answer to a failure.
pub(crate) fn problem_answer(error: ApiError, id: &RequestId) -> Answer {
    let allow = error.allow();
    let problem = error.into_problem(id);
    let body = serde_json::to_string(&problem).unwrap_or_else(|_impossible| String::from("{}"));
    let mut answer = Answer {
        status: problem.status,
        headers: vec![("content-type", String::from("application/problem+json"))],
        body: Some(body),
    };
    if let Some(allow) = allow {
        answer = answer.with("allow", allow);
    }
    if problem.status == 401 {
        answer = answer.with("www-authenticate", "Bearer");
    }
    answer.that_waits(&problem)
}

/// What each answer of an API says beside its own headers: it is data, for this caller, never a page.
const HEADERS: [(&str, &str); 4] = [
    ("cache-control", "no-store"),
    ("content-security-policy", "default-src 'none'; frame-ancestors 'none'; sandbox"),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
];

/// Statuses whose answers have no body; the platform throws where one is given (Fetch, "null body status").
const fn has_no_body(status: u16) -> bool {
    matches!(status, 204 | 205 | 304)
}

/// The platform's answer. A header that the platform refuses is left out.
pub(crate) fn respond(answer: &Answer, id: &RequestId) -> web_sys::Response {
    let init = web_sys::ResponseInit::new();
    init.set_status(answer.status);
    init.set_headers(headers(&answer.headers, id).0.as_ref());
    let body = answer.body.as_deref().filter(|_| !has_no_body(answer.status));
    web_sys::Response::new_with_opt_str_and_init(body, &init).unwrap_or_else(|_refused| {
        log::error(id, "an answer was refused by the platform", &[("status", &answer.status)]);
        web_sys::Response::error()
    })
}

/// The platform's answer with a body that is made while it is sent. A stream that fails breaks the
/// connection, which tells the client that the body is not whole.
///
/// # Errors
/// The platform failed.
pub(crate) fn respond_with_stream(
    content_type: &str,
    stream: impl TryStream<Ok = Vec<u8>, Error = worker::Error> + 'static,
    id: &RequestId,
) -> worker::Result<Response> {
    let headers = headers(&[("content-type", String::from(content_type))], id);
    ResponseBuilder::new().with_headers(headers).from_stream(stream)
}

thread_local! {
    /// [`HEADERS`] as the platform has them: copying them there is one call instead of one each.
    static ON_EVERY_ANSWER: Option<web_sys::Headers> = {
        let headers = web_sys::Headers::new().ok();
        headers.filter(|headers| HEADERS.into_iter().all(|(name, value)| headers.set(name, value).is_ok()))
    };
}

fn headers(own: &[(&'static str, String)], id: &RequestId) -> Headers {
    let copied = ON_EVERY_ANSWER.with(|headers| {
        headers.as_ref().and_then(|headers| web_sys::Headers::new_with_headers(headers).ok())
    });
    let (headers, missing) =
        copied.map_or_else(|| (Headers::new(), HEADERS.as_slice()), |copied| (Headers(copied), &[]));
    let own = own.iter().map(|(name, value)| (*name, value.as_str()));
    for (name, value) in missing.iter().copied().chain(own).chain([("x-request-id", id.as_str())]) {
        if headers.set(name, value).is_err() {
            log::warn(id, "a header of the answer was refused", &[("header", &name)]);
        }
    }
    headers
}

#[cfg(test)]
mod tests {
    use postern_core::fault::Fault;
    use postern_core::quota::{Exceeded, Quota};

    use super::*;

    fn id() -> RequestId {
        RequestId::new([1; 8])
    }

    #[test]
    fn what_is_over_a_quota_says_which_and_when_to_try_again() {
        let exceeded = Exceeded {
            quota: Quota::EventsPerMinute,
            limit: 100,
            used: 99,
            more: 2,
            retry_after_s: Some(41),
        };
        let answer = problem_answer(ApiError::from(Problem::over_quota(exceeded)), &id());
        assert_eq!(answer.status, 429);
        assert!(answer.headers.contains(&("retry-after", String::from("41"))));
        let problem: serde_json::Value = serde_json::from_str(&answer.body.unwrap()).unwrap();
        assert_eq!(problem["type"], "https://postern.dev/problems/quota");
        assert_eq!(
            (&problem["quota"], &problem["limit"], &problem["used"]),
            (&"events_per_minute".into(), &100.into(), &99.into())
        );
    }

    #[test]
    fn a_problem_names_its_request() {
        let answer = problem_answer(ApiError::problem(ProblemType::NotFound, "no such webhook"), &id());
        assert_eq!(answer.status, 404);
        let problem: Problem = serde_json::from_str(&answer.body.unwrap()).unwrap();
        assert_eq!(problem.problem_type(), Some(ProblemType::NotFound));
        assert_eq!(problem.request_id.as_deref(), Some("0101010101010101"));
        assert_eq!(answer.headers[0].1, "application/problem+json");
    }

    #[test]
    fn a_405_says_what_is_allowed_and_a_401_how_to_sign_in() {
        let answer = problem_answer(ApiError::Method { allow: vec![Method::Get, Method::Post] }, &id());
        assert_eq!(answer.status, 405);
        assert!(answer.headers.contains(&("allow", String::from("GET, POST"))));
        let answer = problem_answer(ApiError::problem(ProblemType::Unauthorized, "x"), &id());
        assert!(answer.headers.contains(&("www-authenticate", String::from("Bearer"))));
    }

    #[test]
    fn a_deployment_that_is_not_configured_says_what_is_wrong() {
        let problem = misconfigured("secret SEALING_KEYS is not set");
        assert_eq!(
            (problem.status, problem.detail.as_str()),
            (500, "this deployment is not configured: secret SEALING_KEYS is not set")
        );
        let error = ApiError::from(crate::config::ConfigFault::Missing("SEALING_KEYS"));
        assert!(matches!(error, ApiError::Misconfigured(fault) if fault == "secret SEALING_KEYS is not set"));
    }

    #[test]
    fn every_bad_field_is_told() {
        let faults = vec![Fault::new("/name", "is missing"), Fault::new("/url", "is missing")];
        let answer = problem_answer(ApiError::from(InputFault::from(faults.clone())), &id());
        assert_eq!(answer.status, 422);
        let problem: Problem = serde_json::from_str(&answer.body.unwrap()).unwrap();
        assert_eq!(problem.errors, faults);
    }
}
