//! How UP42's clients log in (docs/wire.md B.2): OAuth 2.0's password and client credentials grants (RFC 6749
//! 4.3 and 4.4). A user or client is a project, its password a token of that project; the access token is
//! that token.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::query::Parameters;
use crate::webhook::ProjectName;

/// Bytes of a request for a token at most.
pub const FORM_BYTES_MAX: usize = 8 * 1024;
/// Seconds after which a client asks again. The SDK from 1.1.1 renews 30 s earlier, so less would be a
/// request before each request. What is answered does not expire: it is the project's token.
pub const EXPIRES_IN_S: u32 = 300;

/// The client that asks for a token.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The project.
    pub project: ProjectName,
    /// What should be a token of it.
    pub token: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").field("project", &self.project).finish_non_exhaustive()
    }
}

/// Why a request for a token was refused (RFC 6749 5.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// HTTP status.
    pub status: u16,
    /// One of the specification's words.
    pub error: &'static str,
    /// For the person who reads it.
    pub description: String,
}

impl Refused {
    /// The name or the password is wrong. The answer does not say which.
    #[must_use]
    pub fn wrong() -> Self {
        let description = String::from("log in with a project's name and a token of that project");
        Self { status: 401, error: "invalid_grant", description }
    }

    /// The request is of the wrong form.
    #[must_use]
    pub fn form(description: &str) -> Self {
        Self { status: 400, error: "invalid_request", description: String::from(description) }
    }

    /// The body of the answer.
    #[must_use]
    pub fn body(&self) -> Value {
        json!({ "error": self.error, "error_description": self.description })
    }
}

/// The answer to a login that succeeded, with what each release reads. It has no member `error`: clients that
/// log in with a project take even a null for a failure (docs/wire.md B.2).
#[must_use]
pub fn granted(token: &str) -> Value {
    json!({ "access_token": token, "token_type": "bearer", "expires_in": EXPIRES_IN_S, "data": { "accessToken": token } })
}

/// Reads a request for a token: its body (`application/x-www-form-urlencoded`) and its `Authorization`. A
/// field that is given twice is refused; one that is not known is ignored, and one without a value is not
/// given (all three: RFC 6749 3.2).
///
/// # Errors
/// What is missing or unknown; never repeats a password.
pub fn parse(form: &str, authorization: Option<&str>) -> Result<Credentials, Refused> {
    let Ok(mut form) = Parameters::parse(form) else {
        return Err(Refused::form("the form holds a broken % escape"));
    };
    // The name is not repeated: in a form that is no form it may be the password.
    if form.has_twice() {
        return Err(Refused::form("a field of the form is given twice"));
    }
    let mut given = |key| form.one(key).filter(|value| !value.is_empty());
    let grant = given("grant_type").ok_or_else(|| Refused::form("grant_type is missing"))?;
    // One of two could be a guess that the other covers (RFC 6749 2.3: never more than one method in a
    // request).
    let (password, client_secret) = (given("password"), given("client_secret"));
    let credentials = [authorization.is_some(), password.is_some(), client_secret.is_some()];
    if credentials.into_iter().filter(|is_given| *is_given).count() > 1 {
        return Err(Refused::form(
            "the request carries more than one credential: send Authorization, password or client_secret",
        ));
    }
    let (name, password) = match grant.as_str() {
        "password" => (given("username"), password),
        "client_credentials" => match authorization {
            Some(authorization) => basic(authorization).unzip(),
            None => (given("client_id"), client_secret),
        },
        _ => {
            let description = String::from("grant_type must be password or client_credentials");
            return Err(Refused { status: 400, error: "unsupported_grant_type", description });
        }
    };
    let (Some(name), Some(password)) = (name, password) else {
        return Err(Refused::form("the name of the project or its token is missing"));
    };
    let project = ProjectName::parse(&name).ok_or_else(Refused::wrong)?;
    Ok(Credentials { project, token: password })
}

/// Name and password of an `Authorization: Basic` (RFC 7617).
fn basic(authorization: &str) -> Option<(String, String)> {
    let (scheme, encoded) = authorization.trim().split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (name, password) = text.split_once(':')?;
    Some((String::from(name), String::from(password)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(form: &str, authorization: Option<&str>) -> Result<(String, String), (u16, &'static str)> {
        let found = parse(form, authorization).map_err(|refused| (refused.status, refused.error))?;
        Ok((String::from(found.project.as_str()), found.token))
    }

    fn pair(project: &str, token: &str) -> (String, String) {
        (String::from(project), String::from(token))
    }

    #[test]
    fn each_release_s_request_is_read() {
        assert_eq!(
            read("grant_type=password&username=p1&password=pst_p1_x", None),
            Ok(pair("p1", "pst_p1_x"))
        );
        let newest = "grant_type=password&username=p1&password=a+b%2Bc&client_id=up42-sdk&scope=openid";
        assert_eq!(read(newest, None), Ok(pair("p1", "a b+c")));
        // What is not known is ignored, and what is empty is not there.
        let more = "grant_type=password&username=p1&password=x&client_secret=&audience=a";
        assert_eq!(read(more, None), Ok(pair("p1", "x")));
        let basic = format!("Basic {}", STANDARD.encode("p1:pst:x"));
        assert_eq!(read("grant_type=client_credentials", Some(&basic)), Ok(pair("p1", "pst:x")));
        assert_eq!(
            read("grant_type=client_credentials&client_id=p1&client_secret=x", None),
            Ok(pair("p1", "x"))
        );
    }

    #[test]
    fn what_is_missing_or_unknown_is_told() {
        for (form, authorization, expected) in [
            ("", None, (400, "invalid_request")),
            ("grant_type=%zz", None, (400, "invalid_request")),
            ("grant_type=authorization_code&code=1", None, (400, "unsupported_grant_type")),
            ("grant_type=password&username=p1", None, (400, "invalid_request")),
            ("grant_type=client_credentials", None, (400, "invalid_request")),
            ("grant_type=client_credentials", Some("Bearer x"), (400, "invalid_request")),
            ("grant_type=client_credentials", Some("Basic !"), (400, "invalid_request")),
            ("grant_type=password&username=No%20Project&password=x", None, (401, "invalid_grant")),
            ("grant_type=password&username=p1&password=x", Some("Bearer y"), (400, "invalid_request")),
            ("grant_type=password&username=p1&password=x&password=y", None, (400, "invalid_request")),
            ("grant_type=password&username=p1&username=p1&password=x", None, (400, "invalid_request")),
            ("grant_type=password&username=p1&password=x&y=1&y=2", None, (400, "invalid_request")),
            ("grant_type=password&username=p1&password=x&client_secret=y", None, (400, "invalid_request")),
            ("grant_type=password&username=p1&password=", None, (400, "invalid_request")),
            (
                "grant_type=client_credentials&client_id=p1&client_secret=x",
                Some("Basic cDE6eQ=="),
                (400, "invalid_request"),
            ),
        ] {
            assert_eq!(read(form, authorization), Err(expected), "{form}");
        }
    }

    #[test]
    fn nothing_repeats_a_token() {
        let found = parse("grant_type=password&username=p1&password=hush", None);
        assert!(!format!("{found:?}").contains("hush"), "{found:?}");
        assert_eq!(granted("t").get("error"), None);
    }
}
