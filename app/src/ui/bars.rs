//! Bars over time, each of parts on top of each other, of which one or several that follow each other can be
//! chosen: with a pointer by pressing or dragging, with the keyboard by arrows and Enter. One picture for the
//! eye; what it says in words stands beside it.

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, KeyboardEvent, PointerEvent};

use super::badge::Tone;

/// Units of the picture's own space that it is high, and that a bar is wide with the gap beside it.
const HEIGHT: u32 = 100;
/// See [`HEIGHT`].
const STEP: usize = 10;
/// Units that a part is high at least: one failure among thousands must be seen.
const LEAST: u32 = 4;

/// A bar.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bar {
    /// Its parts, from below, each with how much it is.
    pub(crate) parts: Vec<(Tone, u32)>,
    /// Whether more may be there than it shows.
    pub(crate) is_partly_known: bool,
}

/// Which bars somebody points at: those from the one to the other, both included.
pub(crate) type Pointed = Option<(usize, usize)>;

/// What the bars are, and what becomes of them.
#[derive(Clone, Copy)]
pub(crate) struct Bars {
    /// The bars, from the left.
    pub(crate) all: Memo<Vec<Bar>>,
    /// Those that are pointed at; written here.
    pub(crate) pointed: RwSignal<Pointed>,
    /// What those that are pointed at are, in words; without any, all of them.
    pub(crate) words: Signal<String>,
    /// Called with the bars that were chosen.
    pub(crate) on_choose: UnsyncCallback<(usize, usize)>,
}

/// Where somebody is among the bars.
#[derive(Clone, Copy)]
struct Brush {
    of: Bars,
    /// Where a drag or a selection by keyboard began.
    anchor: RwSignal<Option<usize>>,
    /// Whether the pointer was pressed here and not released.
    is_pressed: RwSignal<bool>,
}

impl Brush {
    /// Points at a bar, and at all back to the anchor if there is one.
    fn point(self, at: usize) {
        let from = self.anchor.get_untracked().unwrap_or(at);
        self.of.pointed.set(Some((from, at)));
    }

    /// Points at nothing.
    fn leave(self) {
        self.anchor.set(None);
        self.is_pressed.set(false);
        self.of.pointed.set(None);
    }

    /// Chooses what is pointed at.
    fn choose(self) {
        self.is_pressed.set(false);
        if let Some((from, to)) = self.of.pointed.get_untracked() {
            self.anchor.set(None);
            self.of.on_choose.run((from.min(to), from.max(to)));
            self.of.pointed.set(None);
        }
    }

    /// What a key does; `false`: what it does anywhere. Shift adds to what is chosen.
    fn hear(self, event: &KeyboardEvent) -> bool {
        let Some(last) = self.of.all.with_untracked(Vec::len).checked_sub(1) else { return false };
        let at = self.of.pointed.get_untracked().map(|(_from, to)| to);
        let next = match event.key().as_str() {
            "ArrowLeft" | "ArrowDown" => at.map_or(last, |at| at.saturating_sub(1)),
            "ArrowRight" | "ArrowUp" => at.map_or(last, |at| (at + 1).min(last)),
            "Home" => 0,
            "End" => last,
            "Enter" | " " if at.is_some() => {
                self.choose();
                return true;
            }
            "Escape" if at.is_some() => {
                self.leave();
                return true;
            }
            _ => return false,
        };
        if !event.shift_key() {
            self.anchor.set(None);
        } else if self.anchor.with_untracked(Option::is_none) {
            self.anchor.set(Some(at.unwrap_or(next)));
        }
        self.point(next);
        true
    }

    /// What a pointer does on the picture.
    fn follow(self, event: &PointerEvent) {
        let element = event.current_target().and_then(|target| target.dyn_into::<Element>().ok());
        let Some(element) = element else { return };
        let (count, x) = (self.of.all.with_untracked(Vec::len), f64::from(event.client_x()));
        let place = element.get_bounding_client_rect();
        let Some(at) = bar_at(x - place.left(), place.width(), count) else { return };
        if event.type_() == "pointerdown" && event.button() == 0 {
            self.anchor.set(Some(at));
            self.is_pressed.set(true);
            // What is dragged over an edge still ends here.
            let _not_held = element.set_pointer_capture(event.pointer_id());
        }
        self.point(at);
    }
}

/// The picture. `label` is its name for assistive technology, to which it is a slider over the bars from 1
/// on; at 0 it tells of all of them. `keys_id` is the id of what says which keys do what.
pub(crate) fn bars(label: &'static str, keys_id: &'static str, of: Bars) -> AnyView {
    let brush = Brush { of, anchor: RwSignal::new(None), is_pressed: RwSignal::new(false) };
    let at = move || of.pointed.get().map_or(0, |(_from, to)| to + 1).to_string();
    let keys = move |event: KeyboardEvent| {
        if brush.hear(&event) {
            event.prevent_default();
            event.stop_propagation();
        }
    };
    let up = move |event: PointerEvent| {
        if event.button() == 0 && brush.is_pressed.get_untracked() {
            brush.choose();
        }
    };
    // While a drag is under way the pointer may leave the picture.
    let out = move |_| {
        if !brush.is_pressed.get_untracked() {
            brush.leave();
        }
    };
    view! {
        <div
            class="bars"
            tabindex="0"
            role="slider"
            aria-label=label
            aria-describedby=keys_id
            aria-valuemin="0"
            aria-valuemax=move || of.all.with(Vec::len).to_string()
            aria-valuenow=at
            aria-valuetext=move || of.words.get()
            on:keydown=keys
            on:blur=move |_| brush.leave()
            on:pointerdown=move |event| brush.follow(&event)
            on:pointermove=move |event| brush.follow(&event)
            on:pointerup=up
            on:pointercancel=move |_| brush.leave()
            on:pointerleave=out
        >
            <svg viewBox=move || format!("0 0 {} {HEIGHT}", of.all.with(Vec::len).max(1) * STEP) preserveAspectRatio="none" aria-hidden="true">
                {move || of.all.with(|bars| drawn(bars))}
                {move || of.pointed.get().map(frame)}
            </svg>
        </div>
    }
    .into_any()
}

/// All bars, as high as the highest of them allows.
fn drawn(bars: &[Bar]) -> AnyView {
    let most = bars.iter().map(height).max().unwrap_or_default();
    let bar = |(at, bar): (usize, &Bar)| {
        let x = (at * STEP + 1).to_string();
        let unknown = bar.is_partly_known.then(|| {
            view! { <rect class="unknown" x=(at * STEP).to_string() y="0" width=STEP.to_string() height=HEIGHT.to_string()></rect> }
                .into_any()
        });
        let part = |(tone, y, height): (Tone, u32, u32)| {
            view! { <rect class=tone.class() x=x.clone() y=y.to_string() width=(STEP - 2).to_string() height=height.to_string()></rect> }
                .into_any()
        };
        view! { {unknown}{stacked(bar, most).into_iter().map(part).collect_view()} }.into_any()
    };
    bars.iter().enumerate().map(bar).collect_view().into_any()
}

/// Around what is pointed at.
fn frame((from, to): (usize, usize)) -> AnyView {
    let (first, last) = (from.min(to), from.max(to));
    view! {
        <rect class="pointed" x=(first * STEP).to_string() y="0" width=((last - first + 1) * STEP).to_string() height=HEIGHT.to_string()></rect>
    }
    .into_any()
}

/// How much a bar is.
fn height(bar: &Bar) -> u64 {
    bar.parts.iter().map(|(_tone, amount)| u64::from(*amount)).sum()
}

/// The parts of a bar, each with its upper edge and its height, where the highest bar is `most`. What is
/// there is seen, however little it is; the largest part gives way.
fn stacked(bar: &Bar, most: u64) -> Vec<(Tone, u32, u32)> {
    let share = |amount: u32| {
        let units = u64::from(amount) * u64::from(HEIGHT) / most.max(1);
        u32::try_from(units).unwrap_or(HEIGHT).max(if amount > 0 { LEAST } else { 0 })
    };
    let mut heights: Vec<u32> = bar.parts.iter().map(|(_tone, amount)| share(*amount)).collect();
    let over = heights.iter().sum::<u32>().saturating_sub(HEIGHT);
    if let Some(largest) = heights.iter_mut().max() {
        *largest = largest.saturating_sub(over);
    }
    let mut top = HEIGHT;
    let parts = bar.parts.iter().zip(heights).map(|((tone, _amount), height)| {
        top -= height;
        (*tone, top, height)
    });
    parts.filter(|(_tone, _top, height)| *height > 0).collect()
}

/// The bar below a point that is `x` of `width` from the left; beyond the edges the first or the last.
fn bar_at(x: f64, width: f64, count: usize) -> Option<usize> {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "some dozens of bars"
    )]
    let at = (x.max(0.0) / width.max(1.0) * count as f64) as usize;
    count.checked_sub(1).map(|last| at.min(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(parts: [u32; 2]) -> Bar {
        Bar { parts: vec![(Tone::Good, parts[0]), (Tone::Bad, parts[1])], is_partly_known: false }
    }

    #[test]
    fn parts_stand_on_each_other_and_the_least_of_them_is_seen() {
        assert_eq!(stacked(&bar([50, 50]), 100), [(Tone::Good, 50, 50), (Tone::Bad, 0, 50)]);
        assert_eq!(stacked(&bar([100_000, 1]), 100_001), [(Tone::Good, 4, 96), (Tone::Bad, 0, 4)]);
        assert_eq!(stacked(&bar([0, 1]), 1_000), [(Tone::Bad, 96, 4)]);
        assert_eq!(stacked(&bar([0, 0]), 0), []);
    }

    #[test]
    fn the_bar_below_the_pointer_is_found() {
        assert_eq!(
            [-3.0, 99.0, 100.0, 250.0].map(|x| bar_at(x, 200.0, 4)),
            [Some(0), Some(1), Some(2), Some(3)]
        );
        assert_eq!(bar_at(5.0, 200.0, 0), None);
    }
}
