//! Reading a request: where it goes, who sends it, and its body within limits. Nothing here knows a route.

use std::cell::OnceCell;

use js_sys::Reflect;
use postern_core::event;
use postern_core::fault::{BODY_BYTES_MAX, Fault, InputFault};
use postern_core::media;
use postern_core::operation::{Method, Operation, Reads};
use postern_core::problem::{Problem, ProblemType};
use postern_core::webhook::ProjectName;
use wasm_bindgen::JsValue;

use super::problem::ApiError;
use super::standing::Standing;
use crate::body::{self, Body, Limits, Readable};
use crate::caller::Caller;
use crate::log::RequestId;
use crate::project_do::wire::Call;
use crate::url::{UrlParts, split_url};

/// The header that names a call which its caller may repeat, and an event's own key.
pub(crate) const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// A request as the handlers see it.
pub(crate) struct Incoming {
    /// In logs and in the answer.
    pub(crate) id: RequestId,
    /// The method as sent; `worker::Method` would turn an unknown one into GET.
    pub(crate) method: String,
    /// The whole URL.
    pub(crate) url: String,
    /// The request itself. Not `worker::Request`, which also fetches where the client is from (a seventh of
    /// the time that an event takes in the Worker).
    pub(crate) request: web_sys::Request,
    /// Its headers.
    pub(crate) headers: worker::Headers,
    /// What more than one step asks for: each look at a header is a call out of wasm.
    authorization: OnceCell<Option<String>>,
    address: OnceCell<Option<String>>,
    /// What is known of the caller.
    pub(crate) standing: Standing,
}

impl Incoming {
    /// Takes the request apart.
    pub(crate) fn new(id: RequestId, request: web_sys::Request) -> Self {
        let (method, url, headers) = (request.method(), request.url(), worker::Headers(request.headers()));
        let (authorization, address, standing) = (OnceCell::new(), OnceCell::new(), Standing::default());
        Self { id, method, url, request, headers, authorization, address, standing }
    }

    /// The URL's parts.
    pub(crate) fn parts(&self) -> UrlParts<'_> {
        split_url(&self.url)
    }

    /// A header's value; several are joined by `, `.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        self.headers.get(name).ok().flatten()
    }

    /// Checks the headers that ask for something: what an operation reads of them, and that a write gets
    /// none that it would ignore, because whoever sends one counts on it.
    ///
    /// # Errors
    /// 422 for an `Idempotency-Key` that is too long, empty or not ASCII, and for a header that the
    /// operation does not read; 412 for an `If-Match` that is not one of our versions.
    pub(crate) fn check_headers(&self, operation: Operation) -> Result<(), ApiError> {
        if operation.method() == Method::Get {
            return Ok(());
        }
        let ignored = |name| {
            let detail = format!("this call does not support an {name} header: leave it out");
            Err(InputFault::from(Fault::new("", detail)).into())
        };
        if let Some(key) = self.header(IDEMPOTENCY_KEY) {
            if !operation.reads(Reads::IdempotencyKey) {
                return ignored("Idempotency-Key");
            }
            if let Err(detail) = event::check_idempotency_header(&key) {
                // Of a single event it is the event's own key.
                let pointer = if operation == Operation::CreateEvent { "/idempotency_key" } else { "" };
                let detail = format!("the Idempotency-Key header {detail}");
                return Err(InputFault::from(Fault::new(pointer, detail)).into());
            }
        }
        match self.header("if-match") {
            Some(_tag) if !operation.reads(Reads::IfMatch) => ignored("If-Match"),
            tag => if_match(tag.as_deref()).map(|_version| ()),
        }
    }

    /// The network address that the request came from, as the platform says: in a header at the edge, and
    /// in `cf.clientIp` under `workerd serve` (docs/platform.md 13), whose socket takes the header away, so
    /// that no client can choose its address.
    pub(crate) fn address(&self) -> Option<&str> {
        self.address
            .get_or_init(|| {
                let told = self.header("cf-connecting-ip").filter(|address| !address.is_empty());
                told.or_else(|| peer_of(&self.request).map(|peer| String::from(host_of(&peer))))
            })
            .as_deref()
    }

    /// What the caller shows of itself.
    pub(crate) fn authorization(&self) -> Option<&str> {
        self.authorization.get_or_init(|| self.header("authorization")).as_deref()
    }

    /// The method, if it is one of these. A HEAD is a GET whose body the platform leaves out.
    ///
    /// # Errors
    /// 405 with what is allowed.
    pub(crate) fn method_of(&self, allow: &[Method]) -> Result<Method, ApiError> {
        allowed_method(&self.method, allow)
    }

    /// The call that asks `command` of a project for this request.
    pub(crate) fn call<C>(&self, project: ProjectName, caller: Caller, command: C) -> Call<C> {
        Call {
            project,
            caller,
            request_id: self.id.clone(),
            origin: String::from(self.parts().origin),
            address: self.address().map(String::from),
            once: None,
            command,
        }
    }

    /// The body of a call that takes JSON, as text.
    ///
    /// # Errors
    /// 415 where it is not declared `application/json` in UTF-8 or has a content coding, 413 over
    /// [`BODY_BYTES_MAX`], 400 where it is not UTF-8.
    pub(crate) async fn json_text(&mut self) -> Result<String, ApiError> {
        self.json_text_up_to(BODY_BYTES_MAX).await
    }

    /// The same for a call that takes more.
    ///
    /// # Errors
    /// See [`Incoming::json_text`].
    pub(crate) async fn json_text_up_to(&mut self, bytes_max: usize) -> Result<String, ApiError> {
        let content_type = self.header("content-type");
        let refused = match content_type.as_deref() {
            Some(found) if is_json(found) => media::refused_charset(found),
            Some(found) => Some(format!("send the body with content-type: application/json, not {found}")),
            None => Some(String::from("send the body with content-type: application/json")),
        };
        if let Some(detail) = refused {
            return Err(ApiError::problem(ProblemType::UnsupportedMediaType, detail));
        }
        self.refuse_encoded()?;
        let bytes = self.body(bytes_max).await?;
        media::utf8_text(&bytes).map_err(|detail| ApiError::problem(ProblemType::MalformedJson, detail))
    }

    /// Refuses a body that has a content coding.
    ///
    /// # Errors
    /// 415 with the name of the coding.
    pub(crate) fn refuse_encoded(&self) -> Result<(), ApiError> {
        match media::refused_coding(self.header("content-encoding").as_deref()) {
            Some(detail) => Err(ApiError::problem(ProblemType::UnsupportedMediaType, detail)),
            None => Ok(()),
        }
    }

    /// The body of a call whose body may be left out: `{}` where it is empty.
    ///
    /// # Errors
    /// See [`Incoming::json_text`].
    pub(crate) async fn optional_json_text(&mut self) -> Result<String, ApiError> {
        if self.request.body().is_none() || self.header("content-length").as_deref() == Some("0") {
            return Ok(String::from("{}"));
        }
        let text = self.json_text().await?;
        Ok(if text.trim().is_empty() { String::from("{}") } else { text })
    }

    async fn body(&mut self, bytes_max: usize) -> Result<Vec<u8>, ApiError> {
        let body = self.body_up_to(bytes_max).await?;
        if body.is_cut() { Err(too_large(bytes_max)) } else { Ok(body.kept) }
    }

    /// The body, of which at most `max` bytes are kept. What is too much is read on for a while and thrown
    /// away: a client that is still sending when the answer comes would see a broken connection instead of
    /// it.
    ///
    /// # Errors
    /// The client broke off.
    pub(crate) async fn body_up_to(&mut self, max: usize) -> Result<Body, ApiError> {
        let declared = self.header("content-length").and_then(|text| text.parse::<usize>().ok());
        let request = &self.request;
        // HTTP itself holds the client to its word, so a body that is declared to fit can be read in one go.
        let from = if declared.is_some_and(|bytes| bytes <= max) {
            Readable::Whole(request.array_buffer())
        } else {
            Readable::Chunks(request.body())
        };
        match body::read(from, Limits { kept: max, read: max.saturating_add(max.max(DISCARDED_BYTES_MAX)) })
            .await
        {
            (body, None) => Ok(body),
            (_, Some(error)) => Err(ApiError::problem(
                ProblemType::MalformedJson,
                format!("the body broke off: {}", crate::log::chain(&error)),
            )),
        }
    }
}

/// Bytes that are read of a body beyond its limit before it is cut off; as many as the limit if that is
/// more, so that who sends twice what is allowed is told so at every door.
const DISCARDED_BYTES_MAX: usize = 4 * 1024 * 1024;

fn too_large(bytes_max: usize) -> ApiError {
    ApiError::Problem(Box::new(Problem::new(
        ProblemType::BodyTooLarge,
        format!("the body may hold at most {} KiB", bytes_max / 1024),
    )))
}

fn allowed_method(method: &str, allow: &[Method]) -> Result<Method, ApiError> {
    let method = Method::of_request(method).filter(|method| allow.contains(method));
    method.ok_or_else(|| ApiError::Method { allow: allow.to_vec() })
}

/// Whether a content type is JSON; parameters such as `charset=utf-8` do not matter.
fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or("").trim();
    essence.eq_ignore_ascii_case("application/json")
}

/// The version that an `If-Match` header names (RFC 9110 13.1.1): `"3"` or `W/"3"`; `None` where any will
/// do.
///
/// # Errors
/// A value that is not one of our versions matches nothing.
pub(crate) fn if_match(header: Option<&str>) -> Result<Option<u32>, ApiError> {
    let Some(text) = header.map(str::trim).filter(|text| *text != "*") else {
        return Ok(None);
    };
    let tag = text.strip_prefix("W/").unwrap_or(text);
    let version =
        tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')).and_then(|tag| tag.parse().ok());
    version.map(Some).ok_or_else(|| {
        ApiError::problem(
            ProblemType::VersionMismatch,
            "If-Match does not name a version of this resource: send its ETag unchanged",
        )
    })
}

/// The other end of the connection, `address:port`, where the runtime says so.
fn peer_of(request: &web_sys::Request) -> Option<String> {
    let member = |of: &JsValue, name: &str| Reflect::get(of, &JsValue::from_str(name)).ok();
    member(&member(request, "cf").filter(JsValue::is_object)?, "clientIp")?.as_string()
}

/// The address without its port: `192.0.2.1:80`, `[2001:db8::1]:80`.
fn host_of(peer: &str) -> &str {
    match peer.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, _port)) => host,
        None => peer.rsplit_once(':').map_or(peer, |(host, _port)| host),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_is_known_by_its_address_without_the_port() {
        for (peer, host) in
            [("192.0.2.1:35506", "192.0.2.1"), ("[2001:db8::1]:80", "2001:db8::1"), ("unix", "unix")]
        {
            assert_eq!(host_of(peer), host);
        }
    }

    #[test]
    fn only_json_is_json() {
        for text in ["application/json", "Application/JSON; charset=utf-8", "application/json;x"] {
            assert!(is_json(text), "{text}");
        }
        for text in ["", "text/plain", "application/jsonp", "application/x-www-form-urlencoded"] {
            assert!(!is_json(text), "{text}");
        }
    }

    #[test]
    fn a_wrong_method_is_told_with_the_right_ones() {
        let allow = &[Method::Get, Method::Post];
        for (method, taken) in [("POST", Method::Post), ("GET", Method::Get), ("HEAD", Method::Get)] {
            assert_eq!(allowed_method(method, allow).unwrap(), taken);
        }
        for method in ["PUT", "DELETE", "PURGE", "", "get", "GET, POST"] {
            let refused = allowed_method(method, allow);
            assert!(
                matches!(refused, Err(ApiError::Method { allow: told }) if told == allow.to_vec()),
                "{method}"
            );
        }
    }

    #[test]
    fn if_match_names_a_version_or_anything() {
        assert_eq!(if_match(None).unwrap(), None);
        assert_eq!(if_match(Some("*")).unwrap(), None);
        assert_eq!(if_match(Some("\"3\"")).unwrap(), Some(3));
        assert_eq!(if_match(Some("W/\"3\"")).unwrap(), Some(3));
        assert!(if_match(Some("3")).is_err());
        assert!(if_match(Some("\"x\"")).is_err());
    }
}
