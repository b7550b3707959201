//! Just enough HTTP/1.1 to talk to our own server on this machine: one request a connection, JSON both ways.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

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
/// No connection, no answer, or none that is HTTP.
pub(crate) fn get(address: &str, path: &str, token: Option<&str>) -> io::Result<Answer> {
    request("GET", address, path, token, &[], None)
}

/// A request with a JSON body and further headers.
///
/// # Errors
/// No connection, no answer, or none that is HTTP.
pub(crate) fn send(method: &str, address: &str, path: &str, token: &str, headers: &[(&str, &str)], body: &Value) -> io::Result<Answer> {
    request(method, address, path, Some(token), headers, Some(body))
}

fn request(
    method: &str,
    address: &str,
    path: &str,
    token: Option<&str>,
    headers: &[(&str, &str)],
    body: Option<&Value>,
) -> io::Result<Answer> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\naccept: application/json\r\n");
    let mut add = |name: &str, value: &str| head.extend([name, ": ", value, "\r\n"]);
    if let Some(token) = token {
        add("authorization", &format!("Bearer {token}"));
    }
    for (name, value) in headers {
        add(name, value);
    }
    let body = body.map(Value::to_string).unwrap_or_default();
    if method != "GET" {
        add("content-type", "application/json");
        add("content-length", &body.len().to_string());
    }
    stream.write_all(format!("{head}\r\n{body}").as_bytes())?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    parse(&bytes).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "not an HTTP answer"))
}

fn parse(bytes: &[u8]) -> Option<Answer> {
    let end_of_head = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(bytes.get(..end_of_head)?).ok()?;
    let body = bytes.get(end_of_head + 4..)?;
    let mut lines = head.lines();
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let is_chunked = lines
        .filter_map(|line| line.split_once(':'))
        .any(|(name, value)| name.eq_ignore_ascii_case("transfer-encoding") && value.trim().eq_ignore_ascii_case("chunked"));
    let body = if is_chunked { joined(body)? } else { body.to_vec() };
    Some(Answer { status, json: serde_json::from_slice(&body).unwrap_or(Value::Null) })
}

/// The content of a chunked body.
fn joined(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut content = Vec::new();
    loop {
        let end_of_line = rest.windows(2).position(|window| window == b"\r\n")?;
        let size_line = std::str::from_utf8(rest.get(..end_of_line)?).ok()?;
        let size = usize::from_str_radix(size_line.split(';').next()?.trim(), 16).ok()?;
        if size == 0 {
            return Some(content);
        }
        let start = end_of_line + 2;
        content.extend_from_slice(rest.get(start..start.checked_add(size)?)?);
        rest = rest.get(start + size + 2..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_and_chunked_answers_are_read() {
        let plain = parse(b"HTTP/1.1 201 Created\r\nContent-Length: 8\r\n\r\n{\"a\": 1}").expect("an answer");
        assert_eq!((plain.status, plain.json), (201, serde_json::json!({"a": 1})));
        let chunked =
            parse(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{\"a\r\n5;x=y\r\n\": 1}\r\n0\r\n\r\n").expect("an answer");
        assert_eq!((chunked.status, chunked.json), (200, serde_json::json!({"a": 1})));
    }

    #[test]
    fn an_answer_that_is_cut_off_is_no_answer() {
        assert!(parse(b"HTTP/1.1 200").is_none());
        assert!(parse(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nff\r\nshort").is_none());
    }

    #[test]
    fn a_body_that_is_not_json_reads_as_null() {
        assert_eq!(parse(b"HTTP/1.1 404 Not Found\r\n\r\n<html>").expect("an answer").json, Value::Null);
    }
}
