//! A request as somebody pastes it.

/// A callback as a receiver saw it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Received {
    /// `webhook-id`.
    pub id: String,
    /// `webhook-timestamp`.
    pub timestamp: String,
    /// `webhook-signature`.
    pub signature: String,
    /// `content-length`, where it is there.
    pub content_length: Option<usize>,
    /// The body.
    pub body: String,
}

/// Why a text is not such a request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// A header that is part of the signature is missing.
    #[error("there is no header {0}: paste all headers of the request, an empty line, and the body")]
    Missing(&'static str),
}

impl Received {
    /// Reads a pasted request: lines of headers (`name: value`, with a request line before them or not, each
    /// with a `-H` of curl or not), an empty line, and the body as it stands.
    ///
    /// # Errors
    /// A header is missing.
    pub fn parse(text: &str) -> Result<Self, Unreadable> {
        let text = text.trim_start_matches(['\r', '\n']);
        let (head, body) = ["\r\n\r\n", "\n\n"]
            .iter()
            .filter_map(|gap| text.split_once(gap))
            .min_by_key(|(head, _body)| head.len())
            .unwrap_or((text, ""));
        let header = |name: &'static str| {
            let value = head.lines().find_map(|line| {
                let line = line.trim().trim_start_matches("-H").trim_end_matches('\\').trim();
                let line = line.trim_matches(['\'', '"', ',']);
                let (key, value) = line.split_once(':')?;
                let key = key.trim().trim_matches(['\'', '"']).replace('_', "-");
                key.eq_ignore_ascii_case(name).then(|| value.trim().trim_matches(['\'', '"']))
            });
            value.map(String::from).ok_or(Unreadable::Missing(name))
        };
        Ok(Self {
            id: header("webhook-id")?,
            timestamp: header("webhook-timestamp")?,
            signature: header("webhook-signature")?,
            content_length: header("content-length").ok().and_then(|text| text.parse().ok()),
            body: String::from(body),
        })
    }
}
