//! One WebSocket to our own host.

use futures_channel::mpsc;
use futures_util::future::{Either, poll_fn, select};
use futures_util::{SinkExt as _, StreamExt as _};
use gloo_net::websocket::Message;
use gloo_net::websocket::State;
use gloo_net::websocket::futures::WebSocket;
use leptos::task::spawn_local;
use wasm_bindgen::JsValue;

/// What happened on a socket.
///
/// An error is not told apart from an end: a browser does not say why a socket failed, and what follows is
/// the same.
pub(crate) enum SocketEvent {
    /// It is open.
    Opened,
    /// A text frame arrived.
    Text(String),
    /// It is closed, or never opened. Comes once, and last.
    Closed,
}

/// An open or opening socket; closes when dropped.
pub(crate) struct Socket(mpsc::UnboundedSender<String>);

impl Socket {
    /// Opens `path` of our own host with these subprotocols; `None` where the browser refuses the address or
    /// a protocol.
    pub(crate) fn open(path: &str, protocols: &[&str], tell: impl Fn(SocketEvent) + 'static) -> Option<Self> {
        let origin = super::location::origin();
        let address = format!("{}{path}", origin.replacen("http", "ws", 1));
        let protocols: js_sys::Array = protocols.iter().map(|protocol| JsValue::from_str(protocol)).collect();
        // Opened here: gloo-net takes several protocols only with its own reader of JSON.
        let socket =
            WebSocket::try_from(web_sys::WebSocket::new_with_str_sequence(&address, &protocols).ok()?)
                .ok()?;
        let (sender, outgoing) = mpsc::unbounded();
        spawn_local(carry(socket, outgoing, tell));
        Some(Self(sender))
    }

    /// Sends a text frame, if the socket is open.
    pub(crate) fn send(&self, text: &str) {
        // Fails only once the socket is closed, which was told.
        drop(self.0.unbounded_send(String::from(text)));
    }
}

/// Carries frames both ways until the socket is closed, by the other side or because its [`Socket`] was
/// dropped.
async fn carry(
    mut socket: WebSocket,
    mut outgoing: mpsc::UnboundedReceiver<String>,
    tell: impl Fn(SocketEvent),
) {
    // Ready once it is open or has failed; which of them it is the state says.
    drop(poll_fn(|context| socket.poll_ready_unpin(context)).await);
    if matches!(socket.state(), State::Open) {
        tell(SocketEvent::Opened);
    }
    loop {
        let event = match select(socket.next(), outgoing.next()).await {
            Either::Left((incoming, _)) => Either::Left(incoming),
            Either::Right((text, _)) => Either::Right(text),
        };
        match event {
            Either::Left(Some(Ok(Message::Text(text)))) => tell(SocketEvent::Text(text)),
            Either::Left(Some(Ok(Message::Bytes(_)))) => {}
            Either::Left(Some(Err(_)) | None) => return tell(SocketEvent::Closed),
            // A socket that breaks in this moment says so by closing.
            Either::Right(Some(text)) => drop(socket.send(Message::Text(text)).await),
            Either::Right(None) => return,
        }
    }
}
