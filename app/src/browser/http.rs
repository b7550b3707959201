//! One HTTP call to our own origin.

use leptos::prelude::window;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Headers, Request, RequestInit, Response};

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
    let request = request(call).ok()?;
    let response: Response = JsFuture::from(window().fetch_with_request(&request)).await.ok()?.dyn_into().ok()?;
    let body = JsFuture::from(response.text().ok()?).await.ok()?;
    Some(Answer { status: response.status(), body: body.as_string().unwrap_or_default() })
}

fn request(call: &Call<'_>) -> Result<Request, JsValue> {
    let headers = Headers::new()?;
    for (name, value) in call.headers {
        headers.set(name, value)?;
    }
    let init = RequestInit::new();
    init.set_method(call.method);
    init.set_headers(&headers);
    if let Some(body) = call.body {
        init.set_body(&JsValue::from_str(body));
    }
    if call.outlives_page {
        js_sys::Reflect::set(&init, &JsValue::from_str("keepalive"), &JsValue::TRUE)?;
    }
    Request::new_with_str_and_init(call.path, &init)
}
