//! The screen.

use leptos::prelude::*;
use postern_core::api::delivery::DeliveryDetail;
use postern_core::operation::Operation;

use super::model::{self, Finding};
use crate::api::use_project;
use crate::browser::clock::use_clock;
use crate::caller::use_may;
use crate::fetched::when;
use crate::nav::use_nav;
use crate::ui::button::Button;
use crate::ui::field::{TextArea, TextField};
use crate::ui::notice::notice;
use crate::ui::page_head::PageHead;
use crate::ui::toast::use_toasts;

/// What is typed, and whose attempt it came from.
#[derive(Clone, Copy)]
struct Case {
    /// The request as the receiver saw it.
    request: RwSignal<String>,
    /// The receiver's secret.
    secret: RwSignal<String>,
    /// The signature that its code computed.
    computed: RwSignal<String>,
    /// The webhook whose attempt is looked at.
    webhook: RwSignal<Option<String>>,
}

impl Case {
    fn new() -> Self {
        let empty = || RwSignal::new(String::new());
        Self { request: empty(), secret: empty(), computed: empty(), webhook: RwSignal::new(None) }
    }

    /// Takes the request of an attempt, the latest unless its number is asked for.
    fn take(self, detail: &DeliveryDetail, number: Option<u32>) {
        let chosen = detail.attempts.iter().find(|attempt| Some(attempt.attempt.number) == number);
        if let Some(text) = chosen.or(detail.attempts.last()).and_then(model::request_text) {
            self.request.set(text);
        }
        self.webhook.set(detail.delivery.webhook.clone());
    }
}

/// The screen: what was received on the left, what is wrong with it beside it. `?delivery=` and `?attempt=`
/// fill in the request.
#[component]
pub(crate) fn Doctor() -> AnyView {
    let (nav, project, toasts) = (use_nav(), use_project(), use_toasts());
    let case = Case::new();
    let query = nav.query_now();
    if let Some(id) = query.value("delivery") {
        let number = query.value("attempt").and_then(|number| number.parse().ok());
        when(project.delivery(&id), move |answer| match answer {
            Ok(detail) => case.take(&detail, number),
            Err(failure) => toasts.complain(failure.to_string()),
        });
    }
    view! {
        <PageHead
            title="Signature doctor"
            about=Signal::derive(|| String::from("Find out why a callback does not verify. What you paste stays in this page."))
        />
        <div class="split">
            <div class="stack"><Pasted case=case /></div>
            <div class="stack"><Verdict case=case /></div>
        </div>
    }
    .into_any()
}

/// What the receiver saw and holds.
#[component]
fn Pasted(
    /// What is typed.
    case: Case,
) -> AnyView {
    let hint = |text: &'static str| Signal::derive(move || String::from(text));
    view! {
        <section class="card" aria-labelledby="seen">
            <h2 class="card-head" id="seen">"What your receiver saw"</h2>
            <div class="pad stack">
            <TextArea
                label="Request"
                value=case.request
                rows=14
                mono=true
                hint=hint("The headers webhook-id, webhook-timestamp and webhook-signature, an empty line, and the body as your code reads it")
            />
            <TextField label="Secret" value=case.secret mono=true placeholder="whsec_…" hint=hint("As your receiver has it, with whatever stands around it") />
            <StoredSecret case=case />
            <TextField
                label="Signature that your code computes"
                value=case.computed
                mono=true
                hint=hint("Optional")
            />
            </div>
        </section>
    }
    .into_any()
}

/// Fills in the secret of the webhook whose attempt is looked at: only when somebody asks for it, because
/// it is one.
#[component]
fn StoredSecret(
    /// What is typed.
    case: Case,
) -> AnyView {
    let (project, toasts, may) = (use_project(), use_toasts(), use_may(Operation::GetWebhookSecret));
    let fill = move || {
        let Some(name) = case.webhook.get_untracked() else { return };
        when(project.webhook_secret(&name), move |answer| match answer {
            Ok(view) => case.secret.set(view.secret.unwrap_or_default()),
            Err(failure) => toasts.complain(failure.to_string()),
        });
    };
    let fill = StoredValue::new_local(fill);
    let button = move |name: String| {
        view! { <p><Button label=format!("Use the secret of {name}") on_press=move |()| fill.with_value(|fill| fill()) /></p> }
            .into_any()
    };
    let shown = move || case.webhook.get().filter(|_| may.get()).map(button);
    view! { {move || shown()} }.into_any()
}

/// What is wrong, as it is typed. Announced when it changes.
#[component]
fn Verdict(
    /// What is typed.
    case: Case,
) -> AnyView {
    let clock = use_clock();
    let now_s = clock.now().unix_s();
    let findings = Memo::new(move |_| {
        case.request.with(|request| {
            case.secret.with(|secret| {
                case.computed.with(|computed| model::findings(request, secret, computed, now_s))
            })
        })
    });
    let shown = move || {
        let all = findings.get();
        if all.is_empty() {
            return view! {
                <p class="about">
                    "Paste a request that your receiver refused, and its secret. Some forty mistakes are tried, one by one and two at once, and the one that explains it is named here."
                </p>
            }
            .into_any();
        }
        all.into_iter()
            .map(|Finding { tone, headline, advice }| notice(tone, headline, advice))
            .collect_view()
            .into_any()
    };
    view! {
        <section class="card" aria-labelledby="verdict">
            <h2 class="card-head" id="verdict">"What is wrong"</h2>
            <div role="status" class="pad stack">{move || shown()}</div>
        </section>
    }
    .into_any()
}
