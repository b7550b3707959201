//! The vector files of `core`, checked in the browser: what the page previews and refuses is what the Worker
//! does.

use std::fs;

use postern_tests::browser::Browser;
use postern_tests::sink::{Answer, Behaviour, Sink};
use postern_tests::{artefacts, vectors};

#[tokio::test]
async fn every_vector_of_core_holds_in_the_browser() {
    let sink = Sink::start().await;
    let serve = |name: &str, kind: &str| {
        let path = artefacts::vectors().join(name);
        let body =
            fs::read(&path).unwrap_or_else(|fault| panic!("{} cannot be read: {fault}", path.display()));
        let headers = vec![(String::from("content-type"), String::from(kind))];
        sink.always(
            &format!("/{name}"),
            Behaviour::Answer(Answer { status: 200, headers, body, delay: std::time::Duration::ZERO }),
        );
    };
    serve("postern_vectors.js", "text/javascript");
    serve("postern_vectors_bg.wasm", "application/wasm");

    let browser = Browser::open().await;
    // An empty page: all that is needed is the origin.
    browser.go(&sink.url("/")).await;
    let source = "return import('/postern_vectors.js').then(async module => { await module.default(); return module.run(); });";
    let told = browser.script(source, vec![]).await;
    vectors::assert_all_hold(told.as_str().unwrap_or_default());
    browser.close().await;
}
