//! One HTTP call to our own origin.

use std::time::Duration;

use gloo_net::http::{Method, Request, RequestBuilder, Response};
use leptos::prelude::{document, set_timeout};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, HtmlElement, Url};

/// What is sent.
pub(crate) struct Call<'a> {
    /// The method.
    pub(crate) method: &'a str,
    /// Path and query.
    pub(crate) path: &'a str,
    /// Headers.
    pub(crate) headers: &'a [(&'a str, &'a str)],
    /// The body, if any.
    pub(crate) body: Option<&'a str>,
    /// Whether the call outlives the page.
    pub(crate) outlives_page: bool,
}

/// What came back.
pub(crate) struct Answer {
    /// HTTP status.
    pub(crate) status: u16,
    /// The body as text.
    pub(crate) body: String,
}

/// Calls; `None` where no answer came (no network, or the server is not there).
pub(crate) async fn call(call: &Call<'_>) -> Option<Answer> {
    let response = send(call).await?;
    Some(Answer { status: response.status(), body: response.text().await.ok()? })
}

/// The whole answer, for display.
pub(crate) struct Whole {
    /// HTTP status, and its words where the server sends them.
    pub(crate) status: (u16, String),
    /// Every header that a page may see, by name.
    pub(crate) headers: Vec<(String, String)>,
    /// The body as text.
    pub(crate) body: String,
}

/// Calls, and keeps all of the answer; `None` where no answer came.
pub(crate) async fn call_in_full(call: &Call<'_>) -> Option<Whole> {
    let response = send(call).await?;
    let headers = response.headers().entries().collect();
    Some(Whole {
        status: (response.status(), response.status_text()),
        headers,
        body: response.text().await.ok()?,
    })
}

/// How long the browser may take to start saving a file.
const KEPT_FOR: Duration = Duration::from_mins(1);

/// Something that was downloaded. The browser keeps it, not the page's memory.
pub(crate) struct File(Blob);

impl File {
    /// Has the browser save it as `name`; `false` where it does not.
    pub(crate) fn save(&self, name: &str) -> bool {
        self.try_save(name).is_ok()
    }

    /// Fails where the browser makes no file of it.
    fn try_save(&self, name: &str) -> Result<(), JsValue> {
        let address = Url::create_object_url_with_blob(&self.0)?;
        let link = document().create_element("a")?;
        link.set_attribute("href", &address)?;
        link.set_attribute("download", name)?;
        link.unchecked_ref::<HtmlElement>().click();
        // Not at once: a browser may start to read only after this turn.
        set_timeout(move || drop(Url::revoke_object_url(&address)), KEPT_FOR);
        Ok(())
    }
}

/// Downloads with `GET`. `None`: no answer came, or it broke off; `Err`: an answer that is not a success.
pub(crate) async fn download(path: &str, headers: &[(&str, &str)]) -> Option<Result<File, Answer>> {
    let response = send(&Call { method: "GET", path, headers, body: None, outlives_page: false }).await?;
    if response.ok() {
        // As a blob, which gloo-net has no method for: its bytes would go through the page's memory.
        let blob = JsFuture::from(web_sys::Response::from(response).blob().ok()?).await.ok()?;
        return Some(Ok(File(blob.dyn_into().ok()?)));
    }
    Some(Err(Answer { status: response.status(), body: response.text().await.ok()? }))
}

/// Sends it; `None` if no answer came.
async fn send(call: &Call<'_>) -> Option<Response> {
    request(call)?.send().await.ok()
}

/// The request as the browser takes it; `None` for a method or header that it refuses.
fn request(call: &Call<'_>) -> Option<Request> {
    let method = Method::from_bytes(call.method.as_bytes()).ok()?;
    let builder =
        call.headers.iter().fold(RequestBuilder::new(call.path).method(method), |builder, (name, value)| {
            builder.header(name, value)
        });
    let request = match call.body {
        Some(body) => builder.body(body),
        None => builder.build(),
    };
    let request = request.ok()?;
    if !call.outlives_page {
        return Some(request);
    }
    // `keepalive`, which gloo-net does not know.
    let init = web_sys::RequestInit::new();
    js_sys::Reflect::set(&init, &JsValue::from_str("keepalive"), &JsValue::TRUE).ok()?;
    web_sys::Request::new_with_request_and_init(&request.into(), &init).ok().map(Request::from)
}
