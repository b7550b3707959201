//! URLs that somebody would give us to reach what is not theirs: the refused cases of `core`'s vectors, and
//! every spelling of every address that is not public.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use serde::Deserialize;

/// Addresses that no callback may reach, one of each kind (RFC 6890, and the metadata services of the
/// clouds).
const ADDRESSES: [Ipv4Addr; 16] = [
    Ipv4Addr::UNSPECIFIED,
    Ipv4Addr::new(10, 1, 2, 3),
    Ipv4Addr::new(100, 64, 0, 1),
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::LOCALHOST,
    Ipv4Addr::new(127, 255, 255, 254),
    Ipv4Addr::new(169, 254, 169, 254),
    Ipv4Addr::new(172, 16, 0, 1),
    Ipv4Addr::new(172, 31, 255, 255),
    Ipv4Addr::new(192, 0, 0, 192),
    Ipv4Addr::new(192, 0, 2, 1),
    Ipv4Addr::new(192, 168, 1, 1),
    Ipv4Addr::new(198, 18, 0, 1),
    Ipv4Addr::new(203, 0, 113, 9),
    Ipv4Addr::new(224, 0, 0, 1),
    Ipv4Addr::BROADCAST,
];

/// A case of `core/vectors/egress.json`.
#[derive(Deserialize)]
struct Case {
    url: String,
    expect: String,
    #[serde(default)]
    allow_private: bool,
    #[serde(default)]
    own_hosts: Vec<String>,
}

/// Every URL, once. None may be called by a deployment as it comes.
#[must_use]
pub fn urls() -> Vec<String> {
    let cases: Vec<Case> =
        serde_json::from_str(include_str!("../../core/vectors/egress.json")).expect("the vectors are cases");
    // Those that a setting of the case decides say nothing of a deployment without it.
    let refused = cases
        .into_iter()
        .filter(|case| case.expect != "ok" && !case.allow_private && case.own_hosts.is_empty());
    let mut urls: BTreeSet<String> = refused.map(|case| case.url).collect();
    urls.extend(ADDRESSES.into_iter().flat_map(spellings).map(|host| format!("https://{host}/hook")));
    urls.into_iter().collect()
}

/// How a URL may spell an address: as browsers, `curl` or a resolver understand it.
fn spellings(address: Ipv4Addr) -> Vec<String> {
    let [a, b, c, d] = address.octets();
    let number = u32::from(address);
    let mapped = format!("{:x}:{:x}", number >> 16, number & 0xffff);
    let wide: String = address
        .to_string()
        .chars()
        .map(|digit| char::from_u32(u32::from(digit) + 0xfee0).unwrap_or(digit))
        .collect();
    let escaped =
        address.to_string().bytes().fold(String::new(), |escaped, byte| format!("{escaped}%{byte:02x}"));
    let mut spelt = vec![
        address.to_string(),
        format!("{address}."),
        format!("{address}:8443"),
        format!("user:password@{address}"),
        format!("{number}"),
        format!("{number:#x}"),
        format!("0{number:o}"),
        format!("{a:#x}.{b:#x}.{c:#x}.{d:#x}"),
        format!("0{a:o}.0{b:o}.0{c:o}.0{d:o}"),
        format!("{a}.{}", number & 0x00ff_ffff),
        format!("{a}.{b}.{}", number & 0xffff),
        format!("{a:#x}.{b}.0{c:o}.{d}"),
        format!("[::ffff:{address}]"),
        format!("[::ffff:{mapped}]"),
        format!("[0:0:0:0:0:ffff:{mapped}]"),
        format!("[64:ff9b::{mapped}]"),
        format!("[2002:{mapped}::1]"),
        escaped,
    ];
    // A dot of three bytes is a dot to a browser; digits of full width are digits.
    spelt.push(wide.replace('\u{ff0e}', "."));
    spelt.push(address.to_string().replace('.', "\u{3002}"));
    spelt
}

#[cfg(test)]
mod tests {
    use postern_core::egress::{self, Policy};

    use super::*;

    #[test]
    fn there_are_enough_and_each_is_refused_by_the_policy() {
        let urls = urls();
        assert!(urls.len() >= 300, "{}", urls.len());
        let policy = Policy { allow_private_targets: false, own_hosts: Vec::new() };
        let taken: Vec<&String> = urls.iter().filter(|url| egress::check(url, &policy).is_ok()).collect();
        assert!(taken.is_empty(), "{taken:?}");
    }
}
