//! The page's entry point: everything is in the library, so that it can be tested natively.

fn main() {
    postern_app::start();
}
