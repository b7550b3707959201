//! Code of a receiver: the files of `examples/receivers`, which the tests run where their language is at
//! hand.

use leptos::prelude::*;
use postern_core::api::webhook::WebhookView;
use postern_core::webhook::Contract;

use crate::fetched::Fetched;
use crate::ui::code::code_block;
use crate::ui::tabs::{Tab, tabs};

/// A receiver in one language.
struct Code {
    /// Tells it from the others.
    key: &'static str,
    /// The language or runtime.
    name: &'static str,
    /// The file.
    text: &'static str,
    /// Whether the tests run it against real callbacks.
    is_tested: bool,
}

macro_rules! code {
    ($key:literal, $name:literal, $file:literal, $is_tested:literal) => {
        Code {
            key: $key,
            name: $name,
            text: include_str!(concat!("../../../../examples/receivers/", $file)),
            is_tested: $is_tested,
        }
    };
}

/// Every language, those that most people use first.
const CODES: [Code; 10] = [
    code!("node", "Node", "receiver.mjs", true),
    code!("workers", "Workers", "worker.mjs", true),
    code!("python", "Python", "receiver.py", true),
    code!("go", "Go", "receiver.go", false),
    code!("rust", "Rust", "receiver.rs", true),
    code!("php", "PHP", "receiver.php", false),
    code!("java", "Java", "Receiver.java", false),
    code!("csharp", "C#", "Receiver.cs", false),
    code!("ruby", "Ruby", "receiver.rb", false),
    code!("curl", "curl", "send.sh", true),
];

/// `text` for this webhook: a call of `send.sh` goes to its URL.
fn for_url(text: &str, url: &str) -> String {
    text.replace("URL=http://127.0.0.1:3000/", &format!("URL='{}'", url.replace('\'', "%27")))
}

/// Code that receives this webhook's callbacks and verifies them. Only for the contract whose signature
/// libraries and these files know.
#[component]
pub(super) fn ReceiverCode(
    /// The webhook.
    webhook: Fetched<WebhookView>,
) -> AnyView {
    let chosen = RwSignal::new(CODES[0].key);
    let url = Memo::new(move |_| {
        webhook.value.with(|webhook| {
            let webhook = webhook.as_ref().filter(|webhook| webhook.contract == Contract::Standard)?;
            Some(webhook.url.clone())
        })
    });
    let card = move |url: String| {
        let all = CODES.into_iter().map(|Code { key, name, text, is_tested }| {
            let text = for_url(text, &url);
            let panel = move || {
                let untested = (!is_tested)
                    .then(|| view! { <p class="hint">"Our tests do not run this one."</p> }.into_any());
                view! { {untested}{code_block("Code", text.clone())} }.into_any()
            };
            Tab { key, label: String::from(name), panel: Box::new(panel) }
        });
        view! {
            <section class="card" aria-labelledby="receiver">
                <h2 class="card-head" id="receiver">"Receiver code"</h2>
                <div class="pad stack">
                    <p class="about">"Set POSTERN_SECRET to the signing secret of this webhook. Each file verifies the signature and answers 204, or 401."</p>
                    {tabs("Language", chosen, all.collect())}
                </div>
            </section>
        }
        .into_any()
    };
    let shown = move || url.get().map(card);
    view! { {move || shown()} }.into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_reads_the_secret_from_one_variable_and_holds_none() {
        for code in CODES.iter().filter(|code| code.key != "rust" && code.key != "workers") {
            assert!(code.text.contains("POSTERN_SECRET"), "{}", code.name);
        }
        for code in CODES {
            assert!(code.text.lines().all(|line| line.len() <= 125), "{}", code.name);
            assert!(
                code.text.contains("webhook-id") || code.text.contains("HTTP_WEBHOOK_ID"),
                "{}",
                code.name
            );
        }
    }

    #[test]
    fn the_command_calls_this_webhook() {
        let text = for_url(CODES[9].text, "https://r.example/it's");
        assert!(text.contains("URL='https://r.example/it%27s' bash send.sh"), "{text}");
    }
}
