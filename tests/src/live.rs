//! A reader of the live feed, as the page is one.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use postern_core::api::live::{LiveEvent, LiveTicket, SUBPROTOCOL};
use reqwest::Method;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderValue, Response};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::client::Project;
use crate::wait::SOON;

/// How a reader shows that it may read.
#[derive(Clone, Copy, Debug)]
pub enum Credential<'a> {
    /// This token in `Authorization`, as programs do.
    Header(&'a str),
    /// A ticket that this token asks for, as browsers must.
    Ticket(&'a str),
    /// This subprotocol.
    Offered(&'a str),
    /// Not at all.
    None,
}

/// An open feed.
#[derive(Debug)]
pub struct Feed {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// The subprotocol that the server chose.
    pub subprotocol: Option<String>,
}

impl Feed {
    /// Opens the project's feed as its owner.
    pub async fn open(project: &Project) -> Self {
        Self::connect(project, Credential::Ticket(&project.token))
            .await
            .unwrap_or_else(|status| panic!("the live feed answered {status}"))
    }

    /// Opens the project's feed.
    ///
    /// # Errors
    /// The HTTP status with which it, or the ticket, was refused.
    pub async fn connect(project: &Project, credential: Credential<'_>) -> Result<Self, u16> {
        let url = format!("{}{}", project.api.base.replacen("http", "ws", 1), project.path("live"));
        let mut request = url.into_client_request().expect("the feed's address is a URL");
        let value = |text: String| HeaderValue::from_str(&text).expect("a token fits a header");
        match credential {
            Credential::Header(token) => {
                drop(request.headers_mut().insert("authorization", value(format!("Bearer {token}"))));
            }
            Credential::Ticket(token) => {
                let ticket = ticket(project, token).await?;
                drop(
                    request
                        .headers_mut()
                        .insert("sec-websocket-protocol", value(format!("{SUBPROTOCOL}, ticket.{ticket}"))),
                );
            }
            Credential::Offered(offered) => {
                drop(
                    request
                        .headers_mut()
                        .insert("sec-websocket-protocol", value(format!("{SUBPROTOCOL}, {offered}"))),
                );
            }
            Credential::None => {}
        }
        match connect_async(request).await {
            Ok((socket, response)) => Ok(Self { socket, subprotocol: chosen(&response) }),
            Err(Error::Http(response)) => Err(response.status().as_u16()),
            Err(fault) => panic!("the live feed cannot be opened: {fault}"),
        }
    }

    /// The next change for which `wanted` yields a value; others are passed over.
    pub async fn next<T>(&mut self, what: &str, mut wanted: impl FnMut(LiveEvent) -> Option<T>) -> T {
        let read = async {
            loop {
                let frame = self
                    .socket
                    .next()
                    .await
                    .expect("the feed stays open")
                    .unwrap_or_else(|fault| panic!("the feed broke: {fault}"));
                if let Message::Text(text) = frame {
                    let change: LiveEvent = serde_json::from_str(&text)
                        .unwrap_or_else(|fault| panic!("not a change ({fault}): {text}"));
                    if let Some(found) = wanted(change) {
                        return found;
                    }
                }
            }
        };
        timeout(SOON, read).await.unwrap_or_else(|_| panic!("the feed did not tell: {what}"))
    }

    /// Sends a text frame and returns the next text frame.
    pub async fn ask(&mut self, text: &str) -> String {
        self.socket.send(Message::text(text)).await.expect("a frame can be sent");
        let read = async {
            loop {
                if let Message::Text(text) =
                    self.socket.next().await.expect("the feed stays open").expect("the feed does not break")
                {
                    return text.to_string();
                }
            }
        };
        timeout(SOON, read).await.unwrap_or_else(|_| panic!("no answer to {text:?}"))
    }

    /// Closes, and returns the code of the close frame that the server answers with.
    pub async fn close(mut self) -> Option<u16> {
        self.socket.close(None).await.expect("a close frame can be sent");
        self.closed().await
    }

    /// The code with which the server closes; whatever it tells before is passed over.
    pub async fn closed(mut self) -> Option<u16> {
        let read = async {
            while let Some(frame) = self.socket.next().await {
                if let Ok(Message::Close(frame)) = frame {
                    return Some(frame.map_or(1005, |frame| frame.code.into()));
                }
            }
            None
        };
        timeout(Duration::from_secs(10), read).await.unwrap_or_default()
    }
}

/// A ticket to the project's feed for the holder of `token`.
///
/// # Errors
/// The HTTP status with which it was refused.
pub async fn ticket(project: &Project, token: &str) -> Result<String, u16> {
    let reply = project.api.with_token(token).send(Method::POST, &project.path("live/tickets"), None).await;
    if reply.status == 201 { Ok(reply.read::<LiveTicket>().ticket) } else { Err(reply.status) }
}

fn chosen(response: &Response<Option<Vec<u8>>>) -> Option<String> {
    Some(String::from(response.headers().get("sec-websocket-protocol")?.to_str().ok()?))
}
