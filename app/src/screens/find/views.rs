//! The menu of saved searches. They are kept in this browser, for each project and list apart.

use leptos::prelude::*;

use super::model::own_query;
use super::saved::{self, Saved};
use super::token::Subject;
use crate::api::use_project;
use crate::browser::location;
use crate::browser::storage::Keep;
use crate::nav::use_nav;
use crate::routes::Query;
use crate::ui::button::{Button, Look, icon_button};
use crate::ui::chip_menu::{Close, chip_menu};
use crate::ui::field::TextField;
use crate::ui::icon::Icon;

/// The saved searches of a list: a link each, and a form that saves the present one.
#[component]
pub(super) fn Views(
    /// What is searched.
    subject: Subject,
) -> AnyView {
    let nav = use_nav();
    let key =
        StoredValue::new(format!("postern.views.{}.{}", use_project().name().as_str(), subject.noun().1));
    let all = RwSignal::new(
        key.with_value(|key| Keep::Browser.read(key)).map(|text| saved::parse(&text)).unwrap_or_default(),
    );
    let keep = move |kept: Vec<Saved>| {
        key.with_value(|key| Keep::Browser.write(key, saved::text(&kept).as_deref()));
        all.set(kept);
    };
    let query = Memo::new(move |_| own_query(subject, &nav.query()));
    let content = move |close: Close| {
        let entry = move |view: Saved| {
            let (name, removed) = (view.name.clone(), view.name.clone());
            let href = format!("{}{}", location::path(), view.query);
            let remove = move || keep(saved::without(&all.get_untracked(), &removed));
            view! {
                <li>
                    <a href=href on:click=move |_| close.run(())>{view.name}</a>
                    {icon_button(Icon::Delete, format!("Delete the view {name}"), remove)}
                </li>
            }
            .into_any()
        };
        let save = UnsyncCallback::new(move |name: String| {
            let query = query.with_untracked(Query::text);
            keep(saved::with(&all.get_untracked(), Saved { name, query }));
            close.run(());
        });
        let entries = move || all.get().into_iter().map(entry).collect_view();
        let is_asked = Memo::new(move |_| query.with(|query| *query != Query::default()));
        let form = move || {
            if is_asked.get() {
                view! { <SaveForm save=save /> }.into_any()
            } else {
                view! { <p class="hint">"Search for something, then save it here under a name."</p> }
                    .into_any()
            }
        };
        view! {
            <ul class="views" aria-label="Saved views">{move || entries()}</ul>
            {move || form()}
        }
        .into_any()
    };
    chip_menu(String::from("Views"), content)
}

/// Gives the present search a name.
#[component]
fn SaveForm(
    /// Called with the name.
    save: UnsyncCallback<String>,
) -> AnyView {
    let name = RwSignal::new(String::new());
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let typed = name.get_untracked().trim().to_owned();
        if !typed.is_empty() {
            name.set(String::new());
            save.run(typed);
        }
    };
    view! {
        <form on:submit=submit>
            <TextField label="Save this search as" value=name hint="Kept in this browser" />
            <Button label="Save" look=Look::Primary submits=true />
        </form>
    }
    .into_any()
}
