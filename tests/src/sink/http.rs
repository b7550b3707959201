//! A small HTTP/1.1 server over TCP that hides nothing: a library would normalise header names, refuse odd
//! requests and answer by itself, and a receiver of ours must see and do exactly what it is told.

use std::io::{Error, ErrorKind, Result};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use crate::wait::{SOON, eventually};

/// Bytes of a request's head at most.
const HEAD_BYTES_MAX: usize = 256 * 1024;

/// The first byte of a connection that starts with TLS, as no HTTP method does. Such a connection is closed.
const TLS_HANDSHAKE: u8 = 0x16;

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Received {
    /// The method.
    pub method: String,
    /// Path and query as sent.
    pub target: String,
    /// Names (as spelled) and values in order.
    pub headers: Vec<(String, String)>,
    /// The body's exact bytes (chunks joined).
    pub body: Vec<u8>,
    /// When the last byte was read.
    pub at: Instant,
    /// The same by the wall clock.
    pub at_wall: SystemTime,
}

impl Received {
    /// The target without its query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// A header's value, found without case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The `webhook-id`, which every callback has.
    #[must_use]
    pub fn message_id(&self) -> &str {
        self.header("webhook-id")
            .unwrap_or_else(|| panic!("a callback without webhook-id: {:?}", self.headers))
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("a callback's body is UTF-8")
    }

    /// The body as JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|fault| panic!("a callback's body is JSON ({fault}): {}", self.text()))
    }
}

/// What the receiver does with a request.
#[derive(Clone, Debug)]
pub enum Behaviour {
    /// Answers.
    Answer(Answer),
    /// Reads and never answers; the connection stays open.
    Hang,
    /// Sends the head of an answer with this status and then nothing.
    HangInBody(u16),
    /// Starts an answer and goes on with its head, a header at a time, without end.
    DripHead,
    /// Sends the head of an answer with this status and then its body, a byte at a time, without end.
    DripBody(u16),
    /// Closes the connection with a reset.
    Reset,
    /// Closes the connection with a reset after half of an answer with status 200.
    ResetInBody,
    /// Answers with these bytes, which need not be HTTP, and closes the connection.
    Bytes(Vec<u8>),
    /// Answers 200 with a body that never ends.
    Endless,
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Headers besides `content-length`.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Vec<u8>,
    /// Pause before the answer.
    pub delay: Duration,
}

impl Behaviour {
    /// An empty answer.
    #[must_use]
    pub const fn status(status: u16) -> Self {
        Self::Answer(Answer { status, headers: Vec::new(), body: Vec::new(), delay: Duration::ZERO })
    }

    /// An empty answer with one header.
    #[must_use]
    pub fn with_header(status: u16, name: &str, value: &str) -> Self {
        Self::Answer(Answer {
            status,
            headers: vec![(String::from(name), String::from(value))],
            body: Vec::new(),
            delay: Duration::ZERO,
        })
    }

    /// An answer with a body.
    #[must_use]
    pub fn with_body(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self::Answer(Answer { status, headers: Vec::new(), body: body.into(), delay: Duration::ZERO })
    }

    /// An answer with these headers and a body.
    #[must_use]
    pub fn with_headers(status: u16, headers: &[(&str, &str)], body: impl Into<Vec<u8>>) -> Self {
        let headers =
            headers.iter().map(|(name, value)| (String::from(*name), String::from(*value))).collect();
        Self::Answer(Answer { status, headers, body: body.into(), delay: Duration::ZERO })
    }

    /// An empty answer after a pause.
    #[must_use]
    pub const fn after(delay: Duration, status: u16) -> Self {
        Self::Answer(Answer { status, headers: Vec::new(), body: Vec::new(), delay })
    }
}

/// A running server; it ends when it is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    accepting: JoinHandle<()>,
}

impl Server {
    /// Starts a server on a free port; `rule` says what to do with each request.
    pub async fn start(rule: impl Fn(Received) -> Behaviour + Send + Sync + 'static) -> Self {
        Self::start_at(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), rule).await
    }

    /// The same at an address, which may be one that a server of before has just left.
    pub async fn start_at(
        address: SocketAddr,
        rule: impl Fn(Received) -> Behaviour + Send + Sync + 'static,
    ) -> Self {
        let listener = eventually(&format!("{address} can be listened at"), SOON, async || {
            TcpListener::bind(address).await.ok()
        })
        .await;
        let address = listener.local_addr().expect("a bound socket has an address");
        let rule: Arc<dyn Fn(Received) -> Behaviour + Send + Sync> = Arc::new(rule);
        let accepting = tokio::spawn(async move {
            // Ends with this task, and so with the server: a receiver that is gone answers on no old
            // connection either.
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let rule = Arc::clone(&rule);
                // A sender that hangs up ends its own connection only.
                connections.spawn(async move { drop(serve(stream, &*rule).await) });
                while connections.try_join_next().is_some() {}
            }
        });
        Self { address, accepting }
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:PORT`
    #[must_use]
    pub fn base(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn serve(mut stream: TcpStream, rule: &(dyn Fn(Received) -> Behaviour + Send + Sync)) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = Vec::with_capacity(4096);
    while let Some(received) = read_request(&mut stream, &mut buffer).await? {
        let is_head = received.method == "HEAD";
        match rule(received) {
            Behaviour::Answer(answer) => {
                if !answer.delay.is_zero() {
                    tokio::time::sleep(answer.delay).await;
                }
                let body: &[u8] = if is_head { &[] } else { &answer.body };
                stream.write_all(&[&head_of(&answer), body].concat()).await?;
            }
            Behaviour::Hang => return drain(&mut stream).await,
            Behaviour::HangInBody(status) => {
                stream.write_all(&half_an_answer(status)).await?;
                return drain(&mut stream).await;
            }
            Behaviour::DripHead => {
                stream.write_all(b"HTTP/1.1 200 OK\r\n").await?;
                return drip(&mut stream, b"x-more: 1\r\n").await;
            }
            Behaviour::DripBody(status) => {
                let head = format!("HTTP/1.1 {status} Told\r\ncontent-length: 1000000\r\n\r\n");
                stream.write_all(head.as_bytes()).await?;
                return drip(&mut stream, b"x").await;
            }
            Behaviour::Reset => {
                // Zero linger makes the close a reset.
                stream.set_zero_linger()?;
                return Ok(());
            }
            Behaviour::ResetInBody => {
                stream.write_all(&half_an_answer(200)).await?;
                // Long enough that the half arrives: a reset overtakes what is still in the sending buffer.
                tokio::time::sleep(DRIP).await;
                stream.set_zero_linger()?;
                return Ok(());
            }
            Behaviour::Bytes(bytes) => {
                stream.write_all(&bytes).await?;
                return stream.shutdown().await;
            }
            Behaviour::Endless => {
                stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await?;
                let chunk = [b"1000\r\n".as_slice(), &[b'x'; 0x1000], b"\r\n"].concat();
                // Ends when the sender hangs up.
                loop {
                    stream.write_all(&chunk).await?;
                }
            }
        }
    }
    Ok(())
}

/// The head and the first bytes of an answer that says that there is more.
fn half_an_answer(status: u16) -> Vec<u8> {
    format!("HTTP/1.1 {status} Told\r\ncontent-length: 100\r\n\r\nhalf").into_bytes()
}

/// Pause between two pieces of a slow answer.
const DRIP: Duration = Duration::from_millis(100);

/// Sends the piece again and again, until the sender hangs up.
async fn drip(stream: &mut TcpStream, piece: &[u8]) -> Result<()> {
    loop {
        tokio::time::sleep(DRIP).await;
        stream.write_all(piece).await?;
    }
}

/// Reads until the other side hangs up.
async fn drain(stream: &mut TcpStream) -> Result<()> {
    let mut scrap = [0; 1024];
    while stream.read(&mut scrap).await? > 0 {}
    Ok(())
}

/// An answer up to the empty line before its body.
fn head_of(answer: &Answer) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {} Told\r\n", answer.status);
    for (name, value) in &answer.headers {
        head.extend([name, ": ", value, "\r\n"]);
    }
    if answer.status != 204 && answer.status != 304 {
        head.extend(["content-length: ", &answer.body.len().to_string(), "\r\n"]);
    }
    head.push_str("\r\n");
    head.into_bytes()
}

/// The next request of the connection; `None` where it was closed between two.
async fn read_request(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Result<Option<Received>> {
    let head_end = loop {
        if let Some(at) = find(buffer, b"\r\n\r\n") {
            break at;
        }
        if buffer.first() == Some(&TLS_HANDSHAKE) {
            return Err(Error::new(ErrorKind::InvalidData, "TLS, which is not spoken here"));
        }
        if buffer.len() > HEAD_BYTES_MAX {
            return Err(Error::new(ErrorKind::InvalidData, "the head never ends"));
        }
        if stream.read_buf(buffer).await? == 0 {
            return if buffer.is_empty() { Ok(None) } else { Err(ErrorKind::UnexpectedEof.into()) };
        }
    };
    let head = String::from_utf8_lossy(&buffer[..head_end]).into_owned();
    buffer.drain(..head_end + 4);
    let mut lines = head.split("\r\n");
    let mut first = lines.next().unwrap_or_default().split(' ');
    let (method, target) = (first.next().unwrap_or_default(), first.next().unwrap_or_default());
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (String::from(name), String::from(value.trim())))
        .collect();
    let value_of = |name: &str| {
        headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    };
    let body = if value_of("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked")) {
        read_chunks(stream, buffer).await?
    } else {
        let length = value_of("content-length")
            .map_or(Ok(0), str::parse)
            .map_err(|fault| Error::new(ErrorKind::InvalidData, fault))?;
        take(stream, buffer, length).await?
    };
    let (method, target) = (String::from(method), String::from(target));
    Ok(Some(Received { method, target, headers, body, at: Instant::now(), at_wall: SystemTime::now() }))
}

async fn read_chunks(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line_end = loop {
            if let Some(at) = find(buffer, b"\r\n") {
                break at;
            }
            fill(stream, buffer).await?;
        };
        let size = String::from_utf8_lossy(&buffer[..line_end]).into_owned();
        buffer.drain(..line_end + 2);
        let length = usize::from_str_radix(size.trim(), 16)
            .map_err(|fault| Error::new(ErrorKind::InvalidData, fault))?;
        body.extend(take(stream, buffer, length).await?);
        take(stream, buffer, 2).await?;
        if length == 0 {
            return Ok(body);
        }
    }
}

async fn take(stream: &mut TcpStream, buffer: &mut Vec<u8>, length: usize) -> Result<Vec<u8>> {
    while buffer.len() < length {
        fill(stream, buffer).await?;
    }
    Ok(buffer.drain(..length).collect())
}

async fn fill(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Result<()> {
    if stream.read_buf(buffer).await? == 0 { Err(ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    async fn answers_to(request: &[u8], behaviour: Behaviour) -> (String, Vec<Received>) {
        let log = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&log);
        let server = Server::start(move |received| {
            kept.lock().expect("nobody panicked").push(received);
            behaviour.clone()
        })
        .await;
        let mut stream = TcpStream::connect(server.address).await.expect("the server listens");
        stream.write_all(request).await.expect("a request can be written");
        stream.shutdown().await.expect("the sending side can be closed");
        let mut answer = Vec::new();
        // A reset is one of the behaviours.
        let _ = stream.read_to_end(&mut answer).await;
        let received = log.lock().expect("nobody panicked").clone();
        (String::from_utf8_lossy(&answer).into_owned(), received)
    }

    #[tokio::test]
    async fn header_names_keep_their_spelling_and_order() {
        let (_, received) = answers_to(
            b"POST /a?b=c HTTP/1.1\r\nX-B: 1\r\nx-a:  2\r\nContent-Length: 3\r\n\r\nxyz",
            Behaviour::status(204),
        )
        .await;
        assert_eq!(
            received[0].headers[..2],
            [(String::from("X-B"), String::from("1")), (String::from("x-a"), String::from("2"))]
        );
        assert_eq!((received[0].path(), received[0].body.as_slice()), ("/a", b"xyz".as_slice()));
    }

    #[tokio::test]
    async fn chunks_are_joined_and_the_next_request_is_read() {
        let two = b"POST /1 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\nGET /2 HTTP/1.1\r\n\r\n";
        let (answer, received) = answers_to(two, Behaviour::with_body(201, "ok")).await;
        assert_eq!(received.len(), 2);
        assert_eq!((received[0].text(), received[1].target.as_str()), ("abc", "/2"));
        assert_eq!(answer.matches("HTTP/1.1 201 Told\r\ncontent-length: 2\r\n\r\nok").count(), 2);
    }

    #[tokio::test]
    async fn a_reset_answers_nothing() {
        let (answer, received) = answers_to(b"GET / HTTP/1.1\r\n\r\n", Behaviour::Reset).await;
        assert_eq!((answer.as_str(), received.len()), ("", 1));
    }
}
