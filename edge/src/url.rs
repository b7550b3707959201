//! The parts of a URL that the platform serialised.

/// The parts of an absolute URL that routing needs, as they stand in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct UrlParts<'a> {
    /// `https://host:port`
    pub(crate) origin: &'a str,
    /// `host:port`
    pub(crate) host: &'a str,
    /// Percent-encoded, starts with `/`.
    pub(crate) path: &'a str,
    /// Without the `?`; empty if absent.
    pub(crate) query: &'a str,
}

/// Cuts the URL that the platform serialised: it always has a host and a path, and no stray `?` or `#` before
/// them.
pub(crate) fn split_url(url: &str) -> UrlParts<'_> {
    let url = url.split_once('#').map_or(url, |(before, _)| before);
    let (rest, query) = url.split_once('?').unwrap_or((url, ""));
    let after_scheme = rest.split_once("://").map_or(rest, |(_, after)| after);
    let host_chars = after_scheme.find('/').unwrap_or(after_scheme.len());
    let (host, path) = after_scheme.split_at(host_chars);
    let origin = rest.strip_suffix(path).unwrap_or(rest);
    UrlParts { origin, host, path: if path.is_empty() { "/" } else { path }, query }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_cut_where_its_parts_meet() {
        let parts = split_url("http://127.0.0.1:8787/v1/projects/p1?limit=2&a=%2F#x");
        assert_eq!(
            parts,
            UrlParts {
                origin: "http://127.0.0.1:8787",
                host: "127.0.0.1:8787",
                path: "/v1/projects/p1",
                query: "limit=2&a=%2F"
            }
        );
        assert_eq!(
            split_url("https://a.example/"),
            UrlParts { origin: "https://a.example", host: "a.example", path: "/", query: "" }
        );
        assert_eq!(split_url("https://a.example").path, "/");
        assert_eq!(split_url("https://a.example/in/p.k//x?y?z").query, "y?z");
    }
}
