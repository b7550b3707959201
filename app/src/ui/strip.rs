//! Health strips: one bar for each of the latest deliveries, the newest on the right.

use super::badge::Tone;
use leptos::prelude::*;

/// Bars for `tones`, filled up on the left with empty ones to `length`; `summary` says it in words.
///
/// Its width follows the space that it has: bars of a short history are as wide as those of a long one.
pub(crate) fn strip(length: usize, tones: &[Tone], summary: String) -> AnyView {
    // One picture instead of dozens of elements: a bar is 3 wide and every 4.
    let missing = length.saturating_sub(tones.len());
    let bars = std::iter::repeat_n("none", missing).chain(tones.iter().map(|tone| tone.class())).enumerate();
    let bar = |(at, class): (usize, &'static str)| {
        view! { <rect class=class x=(at * 4).to_string() y="0" width="3" height="20" rx="1"></rect> }
            .into_any()
    };
    let width = length * 4;
    view! {
        <svg class="strip" viewBox=format!("0 0 {width} 20") preserveAspectRatio="none" role="img" aria-label=summary>
            {bars.map(bar).collect_view()}
        </svg>
    }
    .into_any()
}
