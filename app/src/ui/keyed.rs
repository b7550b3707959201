//! Lists whose rows keep their identity: a row that moves takes its focus along, a new one fades in.

use leptos::prelude::*;

/// One row for each id, in order. `row` is called once for an id and reads what it shows from signals.
pub(crate) fn keyed(ids: impl Fn() -> Vec<String> + Send + Sync + 'static, row: impl Fn(String) -> AnyView + 'static) -> AnyView {
    // Boxed, so that there is one list machinery for all screens.
    let row: Box<dyn Fn(String) -> AnyView> = Box::new(row);
    list(Memo::new(move |_| ids()), StoredValue::new_local(row))
}

fn list(ids: Memo<Vec<String>>, row: StoredValue<Box<dyn Fn(String) -> AnyView>, LocalStorage>) -> AnyView {
    view! { <For each=move || ids.get() key=Clone::clone children=move |id| row.with_value(|row| row(id)) /> }.into_any()
}
