//! What is copied: headers, bodies, commands. Text nodes only, coloured where it is JSON.
//!
//! What is copied is always the text as it came; only what is shown is laid out.

use super::copy::copy_button;
use crate::json::{self, Token};
use leptos::prelude::*;

/// A block of text that can be copied as it is. `what` names it for the ear and in the message after copying.
///
/// It is as high as its style sheet allows and scrolls then, so a long body does not push away what stands
/// below.
pub(crate) fn code_block(what: &'static str, text: String) -> AnyView {
    let shown = body_view(&text);
    view! {
        <div class="code">
            <div class="code-copy">{copy_button(what, move || text.clone())}</div>
            // Focusable, because it scrolls.
            <pre tabindex="0" role="group" aria-label=what>{shown}</pre>
        </div>
    }
    .into_any()
}

/// Header names and values, one on each line, below a first line that is not copied with them.
pub(crate) fn header_lines(first: String, headers: Vec<(String, String)>) -> AnyView {
    let copied =
        headers.iter().map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>().join("\n");
    let line = |(name, value): (String, String)| {
        view! { <span class="line"><span class="key">{name}</span>": "{value}"\n"</span> }.into_any()
    };
    let lines = headers.into_iter().map(line).collect_view();
    view! {
        <div class="code">
            <div class="code-copy">{copy_button("Headers", move || copied.clone())}</div>
            <pre tabindex="0" role="group" aria-label="Headers"><span class="line first">{first}"\n"</span>{lines}</pre>
        </div>
    }
    .into_any()
}

/// A body for the eye: laid out and coloured where it is JSON that is not too long, as it came where not.
///
/// A token is an element, so a text beyond [`json::COLOURED_BYTES_MAX`] is laid out without colours.
fn body_view(text: &str) -> AnyView {
    if text.len() > json::COLOURED_BYTES_MAX || !json::is_json(text) {
        return json::pretty(text).unwrap_or_else(|| String::from(text)).into_any();
    }
    let piece = |(kind, text): (Token, String)| match kind {
        Token::Key => view! { <span class="key">{text}</span> }.into_any(),
        Token::Text => view! { <span class="text">{text}</span> }.into_any(),
        Token::Literal => view! { <span class="literal">{text}</span> }.into_any(),
        Token::Punctuation => text.into_any(),
    };
    json::tokens(text).into_iter().map(piece).collect_view().into_any()
}
