//! Taking a URL apart with the platform's WHATWG parser.
//!
//! In the Worker and in the browser that is their own `URL`, natively the `url` crate. Its IDNA tables would
//! make up a large part of the page's download (ARCHITECTURE has the figures); both follow one standard, and
//! `vectors/egress.json` holds them to the same answers.

/// What the policy looks at.
pub(super) struct Parts {
    /// In lower case, without the colon.
    pub(super) scheme: String,
    /// Percent-encoded; may be empty.
    pub(super) username: String,
    /// Percent-encoded; may be empty.
    pub(super) password: String,
    /// Normalised: lower case, punycode, dotted decimal, `[…]` around IPv6.
    pub(super) host: String,
    /// `None` where it is the scheme's own.
    pub(super) port: Option<u16>,
    /// With its leading slash, dot segments resolved.
    pub(super) path: String,
    /// The whole without credentials and fragment.
    pub(super) url: String,
}

#[cfg(not(target_arch = "wasm32"))]
impl Parts {
    /// `None` if the text is not an absolute URL with a host.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut url = url::Url::parse(text).ok()?;
        let (username, password) = (String::from(url.username()), String::from(url.password().unwrap_or("")));
        let scheme = String::from(url.scheme());
        let host = url.host_str().unwrap_or("").to_owned();
        if matches!(scheme.as_str(), "http" | "https") {
            url.set_username("").ok()?;
            url.set_password(None).ok()?;
            url.set_fragment(None);
        }
        Some(Self {
            scheme,
            username,
            password,
            host,
            port: url.port(),
            path: String::from(url.path()),
            url: String::from(url),
        })
    }
}

#[cfg(target_arch = "wasm32")]
impl Parts {
    /// `None` if the text is not an absolute URL with a host.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let url = web_sys::Url::new(text).ok()?;
        let (username, password) = (url.username(), url.password());
        url.set_username("");
        url.set_password("");
        url.set_hash("");
        Some(Self {
            scheme: String::from(url.protocol().trim_end_matches(':')),
            username,
            password,
            host: url.hostname(),
            port: url.port().parse().ok(),
            path: url.pathname(),
            url: url.href(),
        })
    }
}
