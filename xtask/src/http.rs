//! Requests to our own server on this machine: JSON both ways.

use std::time::Duration;

use serde_json::Value;
use ureq::Agent;
use ureq::http::Request;
use ureq::http::request::Builder;

/// How long a request may take: a cold isolate compiles several megabytes of Wasm first.
const TIMEOUT: Duration = Duration::from_secs(20);

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The status code.
    pub(crate) status: u16,
    /// The body, or null if it is not JSON.
    pub(crate) json: Value,
}

/// A `GET`, with a bearer token if there is one.
///
/// # Errors
/// No connection, no answer, or an answer that is not HTTP.
pub(crate) fn get(address: &str, path: &str, token: Option<&str>) -> Result<Answer, ureq::Error> {
    let request = head("GET", address, path, token).body(())?;
    answer(agent().run(request)?)
}

/// A request with a JSON body and further headers.
///
/// # Errors
/// No connection, no answer, or an answer that is not HTTP.
pub(crate) fn send(
    method: &str,
    address: &str,
    path: &str,
    token: &str,
    headers: &[(&str, &str)],
    body: &Value,
) -> Result<Answer, ureq::Error> {
    let head = head(method, address, path, Some(token)).header("content-type", "application/json");
    let head = headers.iter().fold(head, |head, (name, value)| head.header(*name, *value));
    answer(agent().run(head.body(body.to_string())?)?)
}

fn agent() -> Agent {
    // Our own server: no proxy stands before it, and every status is an answer.
    Agent::config_builder()
        .timeout_global(Some(TIMEOUT))
        .proxy(None)
        .http_status_as_error(false)
        .build()
        .into()
}

fn head(method: &str, address: &str, path: &str, token: Option<&str>) -> Builder {
    let head = Request::builder()
        .method(method)
        .uri(format!("http://{address}{path}"))
        .header("accept", "application/json");
    match token {
        Some(token) => head.header("authorization", format!("Bearer {token}")),
        None => head,
    }
}

fn answer(mut response: ureq::http::Response<ureq::Body>) -> Result<Answer, ureq::Error> {
    let status = response.status().as_u16();
    let text = response.body_mut().read_to_string()?;
    Ok(Answer { status, json: serde_json::from_str(&text).unwrap_or(Value::Null) })
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;
    use std::thread;

    use serde_json::json;

    use super::*;

    /// What is sent to a server that answers `raw`, and what is made of that.
    fn exchange(raw: &'static str) -> (String, Result<Answer, ureq::Error>) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("its address").to_string();
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a connection");
            let mut read = [0; 4_096];
            let bytes = stream.read(&mut read).expect("a request");
            stream.write_all(raw.as_bytes()).expect("an answer is sent");
            String::from_utf8_lossy(&read[..bytes]).into_owned()
        });
        let found = get(&address, "/healthz", Some("pst_x"));
        (server.join().expect("the server ends"), found)
    }

    #[test]
    fn an_answer_is_read_whatever_its_status_is() {
        let (sent, found) = exchange(
            "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 8\r\nconnection: close\r\n\r\n{\"a\": 1}",
        );
        let found = found.expect("an answer");
        assert_eq!((found.status, found.json), (503, json!({ "a": 1 })));
        assert!(
            sent.starts_with("GET /healthz HTTP/1.1")
                && sent.to_lowercase().contains("authorization: bearer pst_x"),
            "{sent}"
        );
    }

    #[test]
    fn a_body_that_is_not_json_reads_as_null() {
        let (_, found) =
            exchange("HTTP/1.1 404 Not Found\r\ncontent-length: 6\r\nconnection: close\r\n\r\n<html>");
        assert_eq!(found.expect("an answer").json, Value::Null);
    }

    #[test]
    fn an_answer_that_is_cut_off_is_not_an_answer() {
        let (_, found) = exchange("HTTP/1.1 200 OK\r\ncontent-length: 80\r\nconnection: close\r\n\r\nshort");
        assert!(found.is_err());
    }
}
