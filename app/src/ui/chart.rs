//! Lines over time: several plots above each other that share the time below them. One picture for the eye;
//! what it says in words, and the numbers themselves, stand beside it.

use leptos::prelude::*;
use std::fmt::Write as _;

use wasm_bindgen::JsCast;
use web_sys::{Element, PointerEvent};

/// Units of the picture's own space from left to right. How wide it is drawn is the style sheet's.
const WIDTH: f64 = 1_000.0;
/// Units that each plot is high, and that its name above it is; the style sheet knows them too.
const PLOT: f64 = 100.0;
/// Units that the name above it is high.
const HEAD: f64 = 28.0;

/// One plot.
///
/// Heights are shares of it, so that the picture knows no units: the caller says what the edges stand for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Plot {
    /// What it shows.
    pub(crate) name: &'static str,
    /// What its upper and its lower edge stand for.
    pub(crate) edges: [String; 2],
    /// Its lines: a class for the colour, and for each moment the height, 0 (lower edge) to 1, where there is
    /// a value.
    pub(crate) lines: Vec<(&'static str, Vec<Option<f64>>)>,
}

/// The picture. `summary` says it in words, `ticks` are the moments written below it, `readout` says what
/// happened at the moment that somebody points at.
///
/// There are no words in the picture itself, because it is stretched to the space that it has: scales, names
/// and moments are text around it, in the page's own size.
pub(crate) fn chart(
    summary: String,
    plots: Vec<Plot>,
    ticks: Vec<String>,
    readout: impl Fn(Option<usize>) -> String + Send + 'static,
) -> AnyView {
    let count = plots
        .iter()
        .flat_map(|plot| plot.lines.iter().map(|(_, values)| values.len()))
        .max()
        .unwrap_or_default();
    let pointed = RwSignal::new(None::<usize>);
    #[expect(clippy::cast_precision_loss, reason = "a handful of plots")]
    let height = plots.len() as f64 * (HEAD + PLOT);
    let lines = plots.iter().enumerate().map(|(at, plot)| {
        #[expect(clippy::cast_precision_loss, reason = "a handful of plots")]
        let top = at as f64 * (HEAD + PLOT) + HEAD;
        let [upper, middle, lower, right] = [top, top + PLOT / 2.0, top + PLOT, WIDTH].map(tenths);
        let grid = format!("M0 {upper}H{right}M0 {middle}H{right}M0 {lower}H{right}");
        let line = |(class, values): &(&'static str, Vec<Option<f64>>)| {
            view! { <path class=format!("line {class}") d=path_of(values, top, PLOT)></path> }.into_any()
        };
        view! { <path class="grid" d=grid></path>{plot.lines.iter().map(line).collect_view()} }.into_any()
    });
    let lines = lines.collect_view();
    let mark = move || {
        pointed
            .get()
            .map(|at| view! { <path class="mark" d=format!("M{} 0V{}", tenths(x_of(at, count)), tenths(height))></path> }.into_any())
    };
    let point = move |event: PointerEvent| {
        let element = event.current_target().and_then(|target| target.dyn_into::<Element>().ok());
        pointed.set(element.and_then(|element| {
            moment_at(f64::from(event.offset_x()), f64::from(element.client_width()), count)
        }));
    };
    let scale = |plot: &Plot| {
        let [upper, lower] = plot.edges.clone();
        view! { <span class="chart-scale"><span>{upper}</span><span>{lower}</span></span> }.into_any()
    };
    let name = |plot: &Plot| view! { <span class="chart-name">{plot.name}</span> }.into_any();
    let tick = |tick: String| view! { <span>{tick}</span> }.into_any();
    view! {
        <figure class="chart">
            <div class="chart-names" aria-hidden="true">{plots.iter().map(name).collect_view()}</div>
            <svg viewBox=format!("0 0 {} {}", tenths(WIDTH), tenths(height)) preserveAspectRatio="none" role="img" aria-label=summary on:pointermove=point on:pointerleave=move |_| pointed.set(None)>
                {lines}
                {move || mark()}
            </svg>
            <div class="chart-scales" aria-hidden="true">{plots.iter().map(scale).collect_view()}</div>
            <div class="chart-ticks" aria-hidden="true">{ticks.into_iter().map(tick).collect_view()}</div>
            <figcaption class="hint" data-pointed=move || pointed.get().map(|at| at.to_string())>{move || readout(pointed.get())}</figcaption>
        </figure>
    }
    .into_any()
}

/// Where the moment `at` of `count` stands.
fn x_of(at: usize, count: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "some hundred moments")]
    let (at, count) = (at as f64, count.max(1) as f64);
    (at + 0.5) * WIDTH / count
}

/// The moment below a point that is `x` of `width` from the left.
///
/// `None` where there are no moments. Beyond the edges it is the first or the last, so that the mark does not
/// flicker there.
fn moment_at(x: f64, width: f64, count: usize) -> Option<usize> {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "some hundred moments"
    )]
    let at = (x.max(0.0) / width.max(1.0) * count as f64) as usize;
    count.checked_sub(1).map(|last| at.min(last))
}

/// A line through what there is; where a value is missing it breaks off, and a value alone is a dash as wide
/// as its moment.
fn path_of(values: &[Option<f64>], top: f64, height: f64) -> String {
    let mut path = String::new();
    let step = x_of(1, values.len()) - x_of(0, values.len());
    let value_at = |at: Option<usize>| at.and_then(|at| values.get(at).copied().flatten());
    for (at, value) in values.iter().enumerate() {
        let Some(value) = value else { continue };
        let (x, y) = (x_of(at, values.len()), top + (1.0 - value.clamp(0.0, 1.0)) * height);
        let (has_before, has_after) =
            (value_at(at.checked_sub(1)).is_some(), value_at(at.checked_add(1)).is_some());
        let _never_fails = match (has_before, has_after) {
            (true, _) => write!(path, "L{} {}", tenths(x), tenths(y)),
            (false, true) => write!(path, "M{} {}", tenths(x), tenths(y)),
            (false, false) => {
                write!(path, "M{} {}h{}", tenths(x - step / 3.0), tenths(y), tenths(step * 2.0 / 3.0))
            }
        };
    }
    path
}

/// A length that is not negative, with one decimal. Not by `{:.1}`: the standard library's printer of floats
/// brings 10 KB.
fn tenths(length: f64) -> String {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most some thousand")]
    let tenths = (length * 10.0).round() as u32;
    format!("{}.{}", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_breaks_off_where_nothing_was_counted() {
        let path = path_of(&[Some(1.0), Some(0.5), None, Some(0.0)], 10.0, 100.0);
        assert_eq!(path, "M125.0 10.0L375.0 60.0M791.7 110.0h166.7");
        assert_eq!(path_of(&[None, None], 0.0, 100.0), "");
    }

    #[test]
    fn the_moment_below_the_pointer_is_found() {
        assert_eq!(
            [0.0, 99.0, 199.0, 250.0].map(|x| moment_at(x, 200.0, 4)),
            [Some(0), Some(1), Some(3), Some(3)]
        );
        assert_eq!(moment_at(5.0, 200.0, 0), None);
    }
}
