//! One HTTP call to our own origin.

use std::time::Duration;

use leptos::prelude::{document, set_timeout, window};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, Headers, HtmlElement, Request, RequestInit, Response, Url};

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

/// An answer in full, for who wants to see it.
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
    let request = request(call).ok()?;
    let response: Response = JsFuture::from(window().fetch_with_request(&request)).await.ok()?.dyn_into().ok()?;
    let pairs = js_sys::try_iter(response.headers().as_ref()).ok().flatten()?;
    let pair = |pair: JsValue| {
        let pair: js_sys::Array = pair.dyn_into().ok()?;
        Some((pair.get(0).as_string()?, pair.get(1).as_string()?))
    };
    let headers = pairs.filter_map(|found| pair(found.ok()?)).collect();
    let body = JsFuture::from(response.text().ok()?).await.ok()?;
    Some(Whole { status: (response.status(), response.status_text()), headers, body: body.as_string().unwrap_or_default() })
}

/// How long the browser may take to begin saving a file.
const KEPT_FOR: Duration = Duration::from_mins(1);

/// Something that was downloaded. The browser keeps it, not the page's memory.
pub(crate) struct File(Blob);

impl File {
    /// Has the browser save it as `name`; `false` where it does not.
    pub(crate) fn save(&self, name: &str) -> bool {
        self.try_save(name).is_ok()
    }

    fn try_save(&self, name: &str) -> Result<(), JsValue> {
        let address = Url::create_object_url_with_blob(&self.0)?;
        let link = document().create_element("a")?;
        link.set_attribute("href", &address)?;
        link.set_attribute("download", name)?;
        link.unchecked_ref::<HtmlElement>().click();
        // Not at once: a browser may begin to read only after this turn.
        set_timeout(move || drop(Url::revoke_object_url(&address)), KEPT_FOR);
        Ok(())
    }
}

/// Downloads with `GET`. `None`: no answer came, or it broke off; `Err`: an answer that is no success.
pub(crate) async fn download(path: &str, headers: &[(&str, &str)]) -> Option<Result<File, Answer>> {
    let request = request(&Call { method: "GET", path, headers, body: None, outlives_page: false }).ok()?;
    let response: Response = JsFuture::from(window().fetch_with_request(&request)).await.ok()?.dyn_into().ok()?;
    if response.ok() {
        let blob = JsFuture::from(response.blob().ok()?).await.ok()?;
        return Some(Ok(File(blob.dyn_into().ok()?)));
    }
    let body = JsFuture::from(response.text().ok()?).await.ok()?;
    Some(Err(Answer { status: response.status(), body: body.as_string().unwrap_or_default() }))
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
