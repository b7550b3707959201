//! One WebSocket, told by callbacks.

use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{CloseEvent, MessageEvent, WebSocket};

/// What happened on a socket.
pub(crate) enum Signal {
    /// It is open.
    Opened,
    /// A text frame arrived.
    Text(String),
    /// It is closed, or never opened. Comes once, and last.
    Closed,
}

/// An open or opening socket; closes when dropped.
pub(crate) struct Socket {
    inner: WebSocket,
    // The browser calls these as long as the socket lives.
    opened: Closure<dyn FnMut(JsValue)>,
    text: Closure<dyn FnMut(MessageEvent)>,
    closed: Closure<dyn FnMut(CloseEvent)>,
}

impl Socket {
    /// Opens `path` of our own host with these subprotocols; `None` where the browser refuses the address or a protocol.
    pub(crate) fn open(path: &str, protocols: &[&str], tell: impl Fn(Signal) + Clone + 'static) -> Option<Self> {
        let origin = super::location::origin();
        let address = format!("{}{path}", origin.replacen("http", "ws", 1));
        let protocols: js_sys::Array = protocols.iter().map(|protocol| JsValue::from_str(protocol)).collect();
        let socket = WebSocket::new_with_str_sequence(&address, &protocols).ok()?;
        let opened = Closure::new({
            let tell = tell.clone();
            move |_| tell(Signal::Opened)
        });
        let text = Closure::new({
            let tell = tell.clone();
            move |message: MessageEvent| {
                if let Some(text) = message.data().as_string() {
                    tell(Signal::Text(text));
                }
            }
        });
        let closed = Closure::new(move |_: CloseEvent| tell(Signal::Closed));
        socket.set_onopen(Some(opened.as_ref().unchecked_ref()));
        socket.set_onmessage(Some(text.as_ref().unchecked_ref()));
        socket.set_onclose(Some(closed.as_ref().unchecked_ref()));
        Some(Self { inner: socket, opened, text, closed })
    }

    /// Sends a text frame, where the socket is open.
    pub(crate) fn send(&self, text: &str) {
        if self.inner.ready_state() == WebSocket::OPEN {
            // A socket that breaks in this moment tells so by closing.
            drop(self.inner.send_with_str(text));
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.inner.set_onopen(None);
        self.inner.set_onmessage(None);
        self.inner.set_onclose(None);
        // Closing one that is closed already is no error worth telling.
        drop(self.inner.close());
        let _: (&_, &_, &_) = (&self.opened, &self.text, &self.closed);
    }
}
