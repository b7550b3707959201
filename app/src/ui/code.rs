//! What is copied: headers, bodies, commands. Text nodes only, coloured where it is JSON.

use crate::dom::{CollectView, IntoView, View, view};

use super::copy::copy_button;
use crate::json::{self, Token};

/// A block of text that can be copied as it is.
pub(crate) fn code_block(what: &'static str, text: String) -> View {
    let shown = body_view(&text);
    view! {
        <div class="code">
            <div class="code-copy">{copy_button(what, move || text.clone())}</div>
            // Focusable, because it scrolls.
            <pre tabindex="0" role="group" aria-label=what>{shown}</pre>
        </div>
    }
}

/// Header names and values, one on each line.
pub(crate) fn header_lines(first: String, headers: Vec<(String, String)>) -> View {
    let copied = headers.iter().map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>().join("\n");
    let line = |(name, value): (String, String)| view! { <span class="line"><span class="key">{name}</span>": "{value}"\n"</span> };
    view! {
        <div class="code">
            <div class="code-copy">{copy_button("Headers", move || copied.clone())}</div>
            <pre tabindex="0" role="group" aria-label="Headers"><span class="line first">{first}"\n"</span>{headers.into_iter().map(line).collect_view()}</pre>
        </div>
    }
}

/// A body for the eye: laid out and coloured where it is JSON that is not too long, as it came where not.
fn body_view(text: &str) -> View {
    if text.len() > json::COLOURED_BYTES_MAX || !json::is_json(text) {
        return json::pretty(text).unwrap_or_else(|| String::from(text)).into_view();
    }
    let piece = |(kind, text): (Token, String)| match kind {
        Token::Key => view! { <span class="key">{text}</span> },
        Token::Text => view! { <span class="text">{text}</span> },
        Token::Literal => view! { <span class="literal">{text}</span> },
        Token::Punctuation => text.into_view(),
    };
    json::tokens(text).into_iter().map(piece).collect_view()
}
