//! Properties; the table of cases is `vectors/egress.json`, checked by `crate::vectors`.

use std::net::Ipv4Addr;

use proptest::prelude::*;

use super::policy::REFUSED_PORTS;
use super::*;

fn refusal(url: &str) -> Option<&'static str> {
    check(url, &Policy::default()).err().map(|refusal| refusal.code())
}

#[test]
fn a_refusal_tells_what_is_wrong_with_this_url() {
    let sentence = |url: &str| check(url, &Policy::default()).map_err(|refusal| refusal.to_string());
    assert_eq!(
        sentence("https://0x7f.1/"),
        Err(String::from("must name a public host: 127.0.0.1 is a loopback address"))
    );
    assert_eq!(
        sentence("https://router/"),
        Err(String::from(
            "must name a public host: router has no domain, so it can only mean a machine on a private network"
        ))
    );
    assert_eq!(
        sentence("https://db.internal/"),
        Err(String::from(
            "must name a public host: names ending in .internal are reserved, or exist only on private networks"
        ))
    );
}

#[test]
fn every_refused_port_is_in_the_range_that_is_otherwise_allowed() {
    assert!(REFUSED_PORTS.iter().all(|port| *port >= 1024));
}

proptest! {
    #[test]
    fn whatever_is_typed_is_decided_without_a_panic(text in ".{0,80}", allow_private_targets: bool) {
        let policy = Policy { allow_private_targets, own_hosts: vec![String::from("postern.example:8787")] };
        let _verdict = check(&text, &policy);
        let _verdict = check(&format!("https://{text}"), &policy);
    }

    #[test]
    fn a_url_that_is_allowed_stays_allowed_and_unchanged(host in "[a-zA-Z0-9.ä-]{1,20}", path in "[ -~äλ]{0,40}", port in 1024u16..) {
        if let Ok(target) = check(&format!("https://u:p@{host}:{port}/{path}"), &Policy::default()) {
            prop_assert!(target.authorization.is_some());
            let again = check(&target.url, &Policy::default());
            prop_assert_eq!(again, Ok(Target { url: target.url, authorization: None }));
        }
    }

    #[test]
    fn no_spelling_of_a_private_address_gets_through(
        network in prop::sample::select(vec![(0x7f00_0000u32, 8u32), (0x0a00_0000, 8), (0xa9fe_0000, 16), (0xc0a8_0000, 16), (0xac10_0000, 12), (0x6440_0000, 10), (0xe000_0000, 4)]),
        host_bits: u32,
    ) {
        let (base, prefix) = network;
        let bits = base | (host_bits & (u32::MAX >> prefix));
        let [a, b, c, d] = Ipv4Addr::from(bits).octets();
        let (low_two, low_three) = (bits & 0xffff, bits & 0xff_ffff);
        for host in [
            format!("{a}.{b}.{c}.{d}"),
            format!("{bits}"),
            format!("{bits:#x}"),
            format!("0{bits:o}"),
            format!("{a}.{low_three}"),
            format!("{a}.{b}.{low_two}"),
            format!("{a:#x}.{b:#o}.{c}.{d}").replace("0o", "0"),
            format!("{a}.{b}.{c}.{d}."),
            format!("[::ffff:{a}.{b}.{c}.{d}]"),
            format!("[64:ff9b::{a}.{b}.{c}.{d}]"),
            format!("[2002:{:x}:{:x}::1]", bits >> 16, low_two),
        ] {
            prop_assert_eq!(refusal(&format!("https://{host}/")), Some("address"), "{}", host);
        }
    }
}
