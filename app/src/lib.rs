//! The dashboard: shows what the edge knows, and says while a form is being filled in what the edge would
//! say.
//!
//! In scope: addresses (`routes`), calls (`api`), the live feed (`live`), screens and what they are made of.
//! Out of scope: rules. What a webhook may be, which URL may be called, how a callback looks and why a
//! delivery failed is `postern_core`'s word, here as at the edge.
//!
//! The page is a Leptos program: its views, signals, stores and router. Views are erased to one type
//! (`AnyView`), because the first load is what a visitor waits for; `lazy` leaves most screens out of it.
//!
//! A screen is a file or a folder below `screens`. In a folder `screen.rs` is the whole of it, with its parts
//! in files beside it, and `model.rs` is plain Rust that is tested natively. Nothing that came from outside
//! is ever parsed as HTML: text becomes text nodes.
#![expect(
    clippy::needless_pass_by_value,
    reason = "components own what they are given, by the macro's design"
)]
#![expect(unreachable_pub, reason = "the component macro writes the properties of a component as `pub`")]

mod api;
mod browser;
mod caller;
mod deployment;
mod fetched;
mod json;
mod lazy;
mod live;
mod nav;
mod project;
mod quota;
mod routes;
mod screens;
mod session;
mod shell;
mod ui;
mod words;

/// Mounts the dashboard into the page, in the place of the skeleton that `index.html` painted.
pub fn start() {
    console_error_panic_hook::set_once();
    shell::mount();
}
