//! What a deployment allows, and whether a URL may be called.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::address;
use super::parts::Parts;
use super::refusal::{Refusal, URL_CHARS_MAX};
use crate::route;

/// Below this path our own host takes callbacks.
const INBOX_PATH: &str = "/in/";

/// What this deployment allows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// Development and tests only: http, private addresses and single-label hosts are allowed too.
    pub allow_private_targets: bool,
    /// Hosts of our own (`host` or `host:port`), which are refused except for an inbox path (`/in/…`).
    pub own_hosts: Vec<String>,
}

/// A URL that may be called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The normalised URL without credentials or fragment.
    pub url: String,
    /// Basic credentials that stood in the URL, as an `Authorization` header value; becomes a protected
    /// header.
    pub authorization: Option<String>,
}

/// Suffixes that never lead to a public host. Reserved: RFC 6761 (`localhost`, `test`, `invalid`), RFC 6762
/// (`local`), RFC 7686 (`onion`), RFC 9476 (`alt`), RFC 8375 and RFC 9665 (below `arpa`, which holds
/// infrastructure and no receiver), ICANN's `internal`. Used on private networks: those of RFC 6762
/// appendix G, ICANN's `mail` that is never delegated, what resolvers, containers and clusters add
/// (`localdomain`, `localnet`, `workgroup`, `domain`, `svc`, `cluster.local`, `kube`, `nomad`, `consul`,
/// `docker`, `podman`, `lxd`, `incus`, `mesos`, `openstacklocal`, `novalocal`, `lab`, `priv`), and `i2p`,
/// which needs a network of its own as `onion` does.
///
/// RFC 6761's `example` is left out: it resolves nowhere, so a callback to it fails and harms nobody, and it
/// is what documents and tests write.
const LOCAL_SUFFIXES: [&str; 35] = [
    "local",
    "localhost",
    "localdomain",
    "localdomain4",
    "localdomain6",
    "internal",
    "home.arpa",
    "arpa",
    "intranet",
    "private",
    "corp",
    "home",
    "lan",
    "mail",
    "svc",
    "consul",
    "docker",
    "localnet",
    "workgroup",
    "domain",
    "kube",
    "nomad",
    "openstacklocal",
    "novalocal",
    "mesos",
    "podman",
    "lxd",
    "incus",
    "lab",
    "priv",
    "test",
    "onion",
    "i2p",
    "alt",
    "invalid",
];

/// Ports from 1024 on that are refused. The first group is what the Fetch standard blocks: there a
/// browser-made body has been taken for another protocol's commands. The second are line-based services that
/// run commands found in the middle of an HTTP body and are often left open: Redis (6379), raw printing
/// (9100), memcached (11211).
pub(super) const REFUSED_PORTS: [u16; 22] = [
    1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679,
    6697, 10080, //
    6379, 9100, 11211,
];

/// Decides whether `url` may be called. Asked again with the answer's URL it gives the same answer.
///
/// `allow_private_targets` lifts three rules and no other: http, addresses that are not public, names
/// without a dot.
///
/// # Errors
/// The reason why not, in words for the person who typed it.
pub fn check(url: &str, policy: &Policy) -> Result<Target, Refusal> {
    if url.chars().count() > URL_CHARS_MAX {
        return Err(Refusal::TooLong);
    }
    if url.chars().any(|c| c.is_control() || c.is_whitespace() || c == '\\') {
        return Err(Refusal::Character);
    }
    let parts = Parts::parse(url).ok_or(Refusal::Unparsable)?;
    let default_port = match parts.scheme.as_str() {
        "https" => 443,
        "http" if policy.allow_private_targets => 80,
        "http" => return Err(Refusal::Insecure),
        _ => return Err(Refusal::Scheme),
    };
    let port = parts.port.unwrap_or(default_port);
    // A trailing dot names the same host; without this `localhost.` would be another name.
    let host = parts.host.strip_suffix('.').unwrap_or(&parts.host);
    check_host(host, policy)?;
    let is_allowed_port = matches!(port, 80 | 443 | 1024..) && !REFUSED_PORTS.contains(&port);
    if !is_allowed_port {
        return Err(Refusal::Port { port });
    }
    let is_inbox = parts.path.strip_prefix(INBOX_PATH).is_some_and(|key| !key.is_empty());
    if !is_inbox && policy.own_hosts.iter().any(|own| is_own(own, host, port)) {
        return Err(Refusal::OwnHost);
    }
    if parts.url.len() > URL_CHARS_MAX {
        return Err(Refusal::TooLong);
    }
    Ok(Target { authorization: basic(&parts.username, &parts.password), url: parts.url })
}

fn check_host(host: &str, policy: &Policy) -> Result<(), Refusal> {
    if let Some(address) = address::parse(host) {
        return match address::not_public(address) {
            Some(what) if !policy.allow_private_targets => {
                Err(Refusal::Address { address: address.to_string(), what })
            }
            _ => Ok(()),
        };
    }
    let is_name_byte = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if host.split('.').any(str::is_empty) || !host.bytes().all(is_name_byte) {
        return Err(Refusal::BadHost);
    }
    let is_below = |suffix: &&str| host.strip_suffix(suffix).is_some_and(|rest| rest.ends_with('.'));
    if let Some(suffix) = LOCAL_SUFFIXES.into_iter().find(is_below) {
        return Err(Refusal::LocalName { suffix });
    }
    if !host.contains('.') && !policy.allow_private_targets {
        return Err(Refusal::SingleLabel { host: String::from(host) });
    }
    Ok(())
}

/// Whether `own` (`host` for every port, or `host:port`) is where the URL leads.
fn is_own(own: &str, host: &str, port: u16) -> bool {
    let own = own.to_ascii_lowercase();
    // The colons inside [::1] don't start a port.
    let (own_host, own_port) = match own.rsplit_once(':') {
        Some((own_host, own_port)) if !own_port.ends_with(']') => (own_host, own_port.parse().ok()),
        _ => (own.as_str(), None),
    };
    own_host.strip_suffix('.').unwrap_or(own_host) == host
        && own_port.is_none_or(|own_port: u16| own_port == port)
}

/// The `Authorization` value of a URL's credentials, which may be percent-encoded (RFC 7617).
fn basic(username: &str, password: &str) -> Option<String> {
    if username.is_empty() && password.is_empty() {
        return None;
    }
    let decode = |text: &str| route::decode_bytes(text).unwrap_or_else(|| text.as_bytes().to_vec());
    let mut credentials = decode(username);
    credentials.push(b':');
    credentials.extend(decode(password));
    Some(format!("Basic {}", STANDARD.encode(credentials)))
}
