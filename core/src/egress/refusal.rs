//! Why a URL is refused.

/// Characters of a URL at most.
pub const URL_CHARS_MAX: usize = 2_048;

/// Why a URL is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Over [`URL_CHARS_MAX`], as typed or after percent-encoding.
    #[error("must be at most {URL_CHARS_MAX} characters")]
    TooLong,
    /// White space, a control character or a backslash, which URL parsers repair in different ways.
    #[error("must not contain spaces, line breaks, control characters or backslashes")]
    Character,
    /// No absolute URL.
    #[error("must be an absolute URL such as https://example.com/hooks")]
    Unparsable,
    /// Neither https nor http.
    #[error("must start with https://")]
    Scheme,
    /// http where only https is allowed.
    #[error("must start with https://: plain http would show the payload and its signature to the network")]
    Insecure,
    /// A host name that no public host has: an empty part (`a..example.com`) or a character that DNS names of
    /// hosts do not have (some browsers' parsers let an encoded space through).
    #[error(
        "must name a public host: this name has an empty part or a character that host names do not have"
    )]
    BadHost,
    /// A name without a dot, such as `intranet`.
    #[error(
        "must name a public host: {host} has no domain, so it can only mean a machine on a private network"
    )]
    SingleLabel {
        /// The host.
        host: String,
    },
    /// A name below a suffix that is reserved for private networks.
    #[error(
        "must name a public host: names ending in .{suffix} are reserved, or exist only on private networks"
    )]
    LocalName {
        /// The suffix without its dot.
        suffix: &'static str,
    },
    /// An address that is not a public one.
    #[error("must name a public host: {address} is {what}")]
    Address {
        /// The address in its usual spelling.
        address: String,
        /// What the address is for, such as `a loopback address`.
        what: &'static str,
    },
    /// A port that callbacks may not go to.
    #[error(
        "must use port 80, 443 or one from 1024 on that is not known for another protocol; {port} is not allowed"
    )]
    Port {
        /// The port.
        port: u16,
    },
    /// This deployment itself.
    #[error("must not point at Postern itself, except at one of its inboxes (/in/…)")]
    OwnHost,
}

impl Refusal {
    /// A stable name for programs and tests.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooLong => "too_long",
            Self::Character => "character",
            Self::Unparsable => "unparsable",
            Self::Scheme => "scheme",
            Self::Insecure => "insecure",
            Self::BadHost => "bad_host",
            Self::SingleLabel { .. } => "single_label",
            Self::LocalName { .. } => "local_name",
            Self::Address { .. } => "address",
            Self::Port { .. } => "port",
            Self::OwnHost => "own_host",
        }
    }
}
