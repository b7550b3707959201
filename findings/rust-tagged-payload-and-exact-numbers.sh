#!/usr/bin/env bash
# serde_json with arbitrary_precision: a payload with a type reads the amount 12, not 12.5; the usual way around, not 12.50.
#
# Expected: a struct that reads by itself reads as a variant of an enum with #[serde(tag = "type")], and what reads as a Value can
#   be read out of the Value.
# Seen: once any crate of the build switches the feature on, the enum refuses an f64 that is written with a fraction ("map, expected
#   f64"). With #[serde(tag = "type", content = "data")] it depends on which key comes first. The advice that one finds, a Value
#   first, helps with 12.5, but not with 12.50 or 1e3; and it refuses a message with an integer beyond 64 bits in a field that
#   nobody asked for, which reads well without the advice.
# Why it matters: many webhooks are {"type": …, …}, and tests have amounts like 12 or 12.5. A dependency that is added elsewhere
#   makes a receiver refuse prices. Reading the type alone and then the struct alone, both from the text, works.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "receiver"
edition = "2021"

[features]
exact = ["serde_json/arbitrary_precision"]

[dependencies]
serde = { version = "=1.0.229", features = ["derive"] }
serde_json = "=1.0.154"
TOML
cat >src/main.rs <<'RUST'
use serde::{de::DeserializeOwned, Deserialize};
use serde_json::{from_str, from_value, Error, Value};

#[derive(Deserialize)]
struct Paid {
    amount: f64,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Event {
    Paid(Paid),
}

#[derive(Deserialize)]
#[serde(tag = "type", content = "data", rename_all = "lowercase")]
enum Wrapped {
    Paid(Paid),
}

fn by_value<T: DeserializeOwned>(text: &str) -> Result<T, Error> {
    from_value(from_str::<Value>(text)?)
}

fn shown(found: Result<f64, Error>) -> String {
    found.map_or_else(|error| error.to_string().split(" at line").next().unwrap().to_owned(), |amount| amount.to_string())
}

fn main() {
    let exact = cfg!(feature = "exact");
    println!("\narbitrary_precision is {}", if exact { "on" } else { "off" });
    let map = "invalid type: map, expected f64";
    let beyond = "invalid type: integer `20000000000000000000` as u128, expected any value";
    for (amount, [tagged, data_first, value_first]) in [
        ("12", ["12", "12", "12"]),
        ("12.5", [map, map, "12.5"]),
        ("12.50", [map, map, map]),
        ("1e3", [map, map, map]),
        ("12,\"trace\":20000000000000000000", ["12", "12", beyond]),
    ] {
        let paid = format!(r#"{{"type":"paid","amount":{amount}}}"#);
        let of = |Event::Paid(paid)| paid.amount;
        let of_wrapped = |Wrapped::Paid(paid)| paid.amount;
        let alone = shown(from_str(&paid).map(|paid: Paid| paid.amount));
        println!("{paid}");
        for (way, seen, expected) in [
            ("struct alone", alone.clone(), &*alone),
            ("tagged", shown(from_str(&paid).map(of)), tagged),
            ("tagged, Value first", shown(by_value(&paid).map(of)), value_first),
            ("type before data", shown(from_str(&format!(r#"{{"type":"paid","data":{paid}}}"#)).map(of_wrapped)), &alone),
            ("data before type", shown(from_str(&format!(r#"{{"data":{paid},"type":"paid"}}"#)).map(of_wrapped)), data_first),
        ] {
            println!("  {way:<20} {seen}");
            assert_eq!(seen, if exact { expected } else { &alone }, "the behaviour has changed");
        }
        assert!(alone.parse::<f64>().is_ok(), "the struct reads alone");
    }
}
RUST
export CARGO_TARGET_DIR="$folder/target"
cargo tree --quiet --depth 1 --prefix none | tail -n +2
cargo run --quiet
cargo run --quiet --features exact
