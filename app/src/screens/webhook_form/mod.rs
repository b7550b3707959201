//! The form of a webhook, for a new one and for a change. While typing it says what the edge would say: what is wrong with
//! each field, whether the URL may be called, and the exact callback that would go out.

mod flow;
mod model;

use crate::dom::{CollectView, View, flag, hears, part, truth, view};
use crate::state::{Memo, RwSignal, Signal};
use leptos::prelude::*;
use postern_core::api::event::EventTypeView;
use postern_core::api::webhook::WebhookView;
use postern_core::contract::up42;
use postern_core::credential::is_credential_header;
use postern_core::fault::Fault;
use postern_core::filter::EventPattern;
use postern_core::problem::ProblemType;
use postern_core::webhook::Contract;
use serde_json::{Value, json};

use self::flow::{Flow, FlowFields};
use self::model::{Draft, HeaderDraft, Preview, Verdict};
use crate::api::{ApiFailure, use_project};
use crate::browser::clock;
use crate::deployment::use_policy;
use crate::fetched::Fetched;
use crate::fetched::{effect, spawn};
use crate::nav::use_nav;
use crate::routes::{Area, Place};
use crate::screens::events::model::example_of;
use crate::screens::schedule;
use crate::shell::{ProjectState, link};
use crate::ui::button::{Button, LinkButton, Look, icon_button};
use crate::ui::code::{code_block, header_lines};
use crate::ui::field::{Choice, Switch, TextArea, TextField};
use crate::ui::form::{IN_SCREEN, Sending, Submit, fault_when, is_complete};
use crate::ui::icon::Icon;
use crate::ui::loaded::loaded;
use crate::ui::notice::refusal;
use crate::ui::page_head::PageHead;
use crate::ui::skeleton;
use crate::ui::toast::use_toasts;

/// `…/webhooks/new`
#[component]
pub(crate) fn WebhookNew() -> View {
    view! {
        <PageHead title="New webhook" about="Where to call when an event happens, and how" above=("Webhooks", link(Area::Webhooks)) />
        <Form current=None />
    }
}

/// `…/webhooks/{name}/edit`
#[component]
pub(crate) fn WebhookEdit(
    /// The webhook's name.
    name: String,
) -> View {
    let project = use_project();
    let title = format!("Edit {name}");
    let above = link(Area::Webhook(name.clone()));
    let webhook = Fetched::new(move || {
        let (project, name) = (project.clone(), name.clone());
        project.webhook(&name)
    });
    // A change by somebody else must not replace what is being typed: the form is made once, of the first value.
    let form = move || view! { <Form current=webhook.value.get_untracked() /> };
    view! {
        <PageHead title=title above=("Webhook", above) />
        {loaded(webhook, skeleton::text, form)}
    }
}

/// The fields, each a signal of its own, so that a letter typed in one redraws nothing else.
#[derive(Clone, Copy)]
struct Fields {
    contract: RwSignal<String>,
    name: RwSignal<String>,
    url: RwSignal<String>,
    events: RwSignal<String>,
    object: [RwSignal<String>; 3],
    headers: RwSignal<Vec<HeaderFields>>,
    labels: RwSignal<String>,
    timeout: RwSignal<String>,
    retry: RwSignal<bool>,
    include_result: RwSignal<bool>,
    description: RwSignal<String>,
    secret_mode: RwSignal<String>,
    secret: RwSignal<String>,
    flow: FlowFields,
}

/// The fields of one header.
#[derive(Clone, Copy)]
struct HeaderFields {
    key: RwSignal<String>,
    value: RwSignal<String>,
    protected: RwSignal<bool>,
    /// Whether the name as it was last looked at is one of a credential.
    is_credential: RwSignal<bool>,
    is_stored: bool,
}

impl HeaderFields {
    fn of(draft: HeaderDraft) -> Self {
        Self {
            is_credential: RwSignal::new(is_credential_header(&draft.key)),
            key: RwSignal::new(draft.key),
            value: RwSignal::new(draft.value),
            protected: RwSignal::new(draft.protected),
            is_stored: draft.is_stored,
        }
    }

    /// Protects a header as soon as its name becomes one of a credential; whoever switches that off later is obeyed.
    fn protect_credentials(self) {
        effect(move || {
            let is_credential = self.key.with(|key| is_credential_header(key.trim()));
            if self.is_credential.get_untracked() != is_credential {
                self.is_credential.set(is_credential);
                self.protected.set(is_credential);
            }
        });
    }

    fn draft(self) -> HeaderDraft {
        HeaderDraft { key: self.key.get(), value: self.value.get(), protected: self.protected.get(), is_stored: self.is_stored }
    }
}

impl Fields {
    fn of(draft: Draft) -> Self {
        Self {
            contract: RwSignal::new(draft.contract),
            name: RwSignal::new(draft.name),
            url: RwSignal::new(draft.url),
            events: RwSignal::new(draft.events),
            object: draft.object.map(RwSignal::new),
            headers: RwSignal::new(draft.headers.into_iter().map(HeaderFields::of).collect()),
            labels: RwSignal::new(draft.labels),
            timeout: RwSignal::new(draft.timeout),
            retry: RwSignal::new(draft.retry),
            include_result: RwSignal::new(draft.include_result),
            description: RwSignal::new(draft.description),
            secret_mode: RwSignal::new(draft.secret_mode),
            secret: RwSignal::new(draft.secret),
            flow: FlowFields {
                own_schedule: RwSignal::new(draft.own_schedule),
                waits: RwSignal::new(draft.waits),
                rate: draft.rate.map(RwSignal::new),
                concurrency: RwSignal::new(draft.concurrency),
                ordered: RwSignal::new(draft.ordered),
                confirm_gone: RwSignal::new(draft.confirm_gone),
                event_labels: RwSignal::new(draft.event_labels),
                filter: RwSignal::new(draft.filter),
            },
        }
    }

    /// Whether anything that is folded away says more than usual.
    fn draft_has_flow(self) -> bool {
        let (typed, usual) = (untrack(|| self.draft()), Draft::default());
        typed.own_schedule
            || typed.ordered
            || typed.confirm_gone
            || [&typed.rate[0], &typed.concurrency, &typed.event_labels, &typed.filter].into_iter().any(|text| *text != usual.filter)
    }

    fn draft(self) -> Draft {
        Draft {
            contract: self.contract.get(),
            name: self.name.get(),
            url: self.url.get(),
            events: self.events.get(),
            object: self.object.map(RwSignal::get),
            headers: self.headers.get().into_iter().map(HeaderFields::draft).collect(),
            labels: self.labels.get(),
            timeout: self.timeout.get(),
            retry: self.retry.get(),
            include_result: self.include_result.get(),
            description: self.description.get(),
            secret_mode: self.secret_mode.get(),
            secret: self.secret.get(),
            own_schedule: self.flow.own_schedule.get(),
            waits: self.flow.waits.get(),
            rate: self.flow.rate.map(RwSignal::get),
            concurrency: self.flow.concurrency.get(),
            ordered: self.flow.ordered.get(),
            confirm_gone: self.flow.confirm_gone.get(),
            event_labels: self.flow.event_labels.get(),
            filter: self.flow.filter.get(),
        }
    }
}

/// The form with its preview.
#[component]
fn Form(
    /// The webhook that is changed; `None` for a new one.
    current: Option<WebhookView>,
) -> View {
    let (project, nav, toasts, policy) = (use_project(), use_nav(), use_toasts(), use_policy());
    let is_edit = current.is_some();
    let fields = Fields::of(current.as_ref().map(Draft::of).unwrap_or_default());
    let current = StoredValue::new(current);
    let draft = Memo::new(move || fields.draft());
    let verdict = Signal::derive(move || {
        current.with_value(|current| draft.with(|draft| policy.with(|policy| model::judge(draft, current.as_ref(), policy))))
    });
    let faults = Memo::new(move || match verdict.get() {
        Verdict::Fits(..) => Vec::new(),
        Verdict::Refused(faults) => faults,
    });
    let failure = RwSignal::new(None::<ApiFailure>);
    // A field says what is wrong once it was left, or once the form was sent: not before the first letter.
    let touched = RwSignal::new(Vec::<&'static str>::new());
    let is_sent = RwSignal::new(false);
    let fault =
        move |field: &'static str| fault_when(faults, field, move || is_sent.get() || touched.with(|touched| touched.contains(&field)));
    let leave = move |field: &'static str| {
        move |()| {
            if !touched.with_untracked(|touched| touched.contains(&field)) {
                touched.update(|touched| touched.push(field));
            }
        }
    };

    let sending = Sending::new();
    let is_unfolded = RwSignal::new(fields.draft_has_flow());
    let api = project.clone();
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        is_sent.set(true);
        failure.set(None);
        if !is_complete(faults, IN_SCREEN) {
            // What is folded away can't have the focus.
            if faults.with_untracked(|faults| model::has_folded_fault(faults)) {
                is_unfolded.set(true);
            }
            return;
        }
        let (place, body) = (api.name().clone(), draft.with_untracked(|draft| draft.json(is_edit)));
        let known = current.with_value(|current| current.as_ref().map(|webhook| (webhook.name.clone(), webhook.version)));
        let load = match known {
            None => api.create_webhook(&body),
            Some((name, version)) => api.update_webhook(&name, version, &body),
        };
        sending.send(load, move |answer| match answer {
            Ok(webhook) => {
                toasts.say(if is_edit { format!("{} saved", webhook.name) } else { format!("{} created", webhook.name) });
                nav.go(&Place::Project(place, Area::Webhook(webhook.name)));
            }
            Err(refused) => failure.set(Some(refused)),
        });
    };

    let types = Fetched::new({
        let project = project.clone();
        move || {
            let project = project.clone();
            project.event_types()
        }
    });
    let known_types = move || {
        types
            .value
            .with(|page| page.as_ref().map(|page| page.items.iter().map(|item| item.name.clone()).collect::<Vec<_>>()).unwrap_or_default())
    };
    let is_ubiops = Memo::new(move || fields.contract.with(|contract| contract == Contract::Ubiops.as_str()));
    let is_up42 = Memo::new(move || fields.contract.with(|contract| contract == Contract::Up42.as_str()));
    let suggestions = Memo::new(move || {
        if is_ubiops.get() {
            model::UBIOPS_EVENTS.map(String::from).to_vec()
        } else if is_up42.get() {
            // UP42's own events, then those of the catalogue.
            let own = up42::EVENTS.map(String::from);
            let others = model::suggestions(&known_types()).into_iter().filter(|kind| !own.contains(kind));
            own.iter().cloned().chain(others).collect()
        } else {
            model::suggestions(&known_types())
        }
    });
    // What a contract usually does; only for a new webhook, and only when the choice is made.
    let before = StoredValue::new(None::<bool>);
    effect(move || {
        let is_ubiops = is_ubiops.get();
        if !is_edit && before.get_value().is_some_and(|before| before != is_ubiops) {
            fields.retry.set(!is_ubiops);
        }
        before.set_value(Some(is_ubiops));
    });
    let example = move |kind: &str| -> Option<Value> { types.value.with(|types| example_of(types.as_ref(), kind)) };
    // The data that a payload condition is tried on: the example of the first type that the webhook takes and the catalogue has.
    let sample = Memo::new(move || {
        let patterns = fields.events.with(|events| model::patterns(events));
        let found = types.value.with(|page| {
            let items = page.as_ref().map(|page| page.items.as_slice()).unwrap_or_default();
            let takes = |item: &&EventTypeView| {
                patterns.iter().filter_map(|text| EventPattern::parse(text)).any(|pattern| pattern.matches(&item.name))
            };
            items.iter().filter(|item| item.example.is_some()).find(takes).map(|item| (item.name.clone(), item.example.clone()))
        });
        found.and_then(|(kind, example)| Some((kind, crate::json::pretty(&example?.to_string())?)))
    });
    let opened_at = clock::now();
    let preview = Memo::new(move || match verdict.get() {
        Verdict::Fits(definition, choice) => {
            let keeps_secret = fields.secret_mode.with(|mode| mode == "keep");
            model::preview(*definition, choice, keeps_secret, example, opened_at)
        }
        Verdict::Refused(_) => None,
    });

    let use_inbox = move || {
        let project = project.clone();
        let typed = fields.name.get_untracked();
        spawn(async move {
            let name = if typed.trim().is_empty() { format!("inbox-{}", clock::now().unix_s()) } else { format!("{}-inbox", typed.trim()) };
            let mut answer = project.create_inbox(&json!({ "name": name })).await;
            if answer.as_ref().is_err_and(|failure| failure.is(ProblemType::NameTaken)) {
                answer = project.create_inbox(&json!({ "name": format!("{name}-{}", clock::now().unix_s()) })).await;
            }
            match answer {
                Ok(inbox) => {
                    fields.url.set(inbox.url);
                    toasts.say(format!("Inbox {} made; callbacks will go there", inbox.name));
                }
                Err(refused) => toasts.complain(refused.to_string()),
            }
        });
    };
    let egress = Memo::new(move || fields.url.with(|url| policy.with(|policy| model::egress_words(url, policy))));
    let egress_words = move || {
        let (may, words) = egress.get();
        let class = if fields.url.with(|url| url.trim().is_empty()) { "hint" } else { "verdict" };
        may.then(|| view! { <p class=class role="status">{words}</p> })
    };
    let url_fault = Signal::derive(move || match egress.get() {
        (false, words) => Some(words),
        (true, _) => (is_sent.get() && fields.url.with(|url| url.trim().is_empty())).then(|| String::from("Say where to call.")),
    });

    let secret_options = if is_edit {
        vec![
            ("keep", "Keep it as it is", ""),
            ("given", "Use this one", "whsec_ or whsk_ followed by base64; for UP42 any text"),
            ("none", "None", "callbacks are not signed"),
        ]
    } else {
        vec![
            ("generate", "Make one", "standard callbacks are signed; other contracts are not"),
            ("given", "Use mine", "whsec_ or whsk_ followed by base64; for UP42 any text"),
            ("none", "None", "callbacks are not signed"),
        ]
    };
    let [object_type, object_name, object_version] = fields.object;
    let state: ProjectState = expect_context();
    let retry_hint = Signal::derive(move || {
        let own = draft.with(|draft| draft.own_schedule.then(|| schedule::parse(&draft.waits)).flatten());
        let projects = state.0.value.with(|detail| detail.as_ref().and_then(|detail| detail.settings.retry_schedule_s.clone()));
        format!("On: {}. Off: one attempt.", schedule::of_webhook(true, own.as_deref(), projects.as_deref()))
    });
    let back = current
        .with_value(|current| current.as_ref().map_or_else(|| link(Area::Webhooks), |webhook| link(Area::Webhook(webhook.name.clone()))));
    let contract_options = vec![
        ("standard", "Standard Webhooks", "type, timestamp and data as JSON; signed; 2xx is delivered"),
        ("ubiops", "UbiOps", "UbiOps' own payload; 2xx and 3xx are delivered"),
        ("up42", "UP42", "event and body as JSON, with UP42's own signature; 2xx is delivered"),
    ];
    let unplaced = move || {
        let others = faults.with(|faults| {
            let others =
                faults.iter().filter(|fault| model::is_unplaced(fault)).map(|fault| format!("{}: {}", fault.pointer, fault.detail));
            others.collect::<Vec<_>>()
        });
        (is_sent.get() && !others.is_empty()).then(|| view! { <p class="fault">{others.join("; ")}</p> })
    };
    view! {
        <div class="split">
            <form class="card pad form" on:submit=hears(submit) novalidate=true aria-label="Webhook">
                <fieldset>
                    <legend>"What and where"</legend>
                    <TextField label="Name" value=fields.name first=true hint="Unique in this project, such as orders-to-billing" fault=fault("name") on_leave=leave("name") />
                    <TextField label="URL" value=fields.url kind="url" mono=true placeholder="https://example.com/hooks" fault=url_fault />
                    {part(egress_words)}
                    <div class="beside"><Button label="Use a new inbox" icon=Icon::Inbox on_press=move |()| use_inbox() /><span class="hint">"No receiver yet? An inbox records what arrives."</span></div>
                    <Choice label="Contract" value=fields.contract options=contract_options />
                </fieldset>
                <fieldset>
                    <legend>"Which events"</legend>
                    <TextField label="Events" value=fields.events mono=true placeholder="order.paid order.*" hint="Types or groups, separated by spaces. order.* takes all below order, * takes all." fault=fault("events") on_leave=leave("events") />
                    {part(move || event_choices(suggestions, fields.events))}
                    <div class="thirds">
                        <TextField label="Object type" value=object_type placeholder="any" fault=fault("object") on_leave=leave("object") />
                        <TextField label="Object name" value=object_name placeholder="any" />
                        <TextField label="Object version" value=object_version placeholder="any" />
                    </div>
                </fieldset>
                <fieldset>
                    <legend>"How"</legend>
                    <Switch label="Repeat failed attempts" value=fields.retry hint=retry_hint />
                    {part(move || is_ubiops.get().then(|| view! { <Switch label="Include the result" value=fields.include_result hint="Up to 16,000 bytes; a longer one is left out." /> }))}
                    <TextField label="Timeout in seconds" value=fields.timeout kind="number" hint="For one attempt, 1 to 30" fault=fault("timeout_s") on_leave=leave("timeout_s") />
                    <Choice label="Signing secret" value=fields.secret_mode options=secret_options />
                    {part(move || fields.secret_mode.with(|mode| mode == "keep").then(|| fault("secret").get()).flatten().map(|text| view! { <p class="fault">{text}</p> }))}
                    {part(move || fields.secret_mode.with(|mode| mode == "given").then(|| view! { <TextField label="Secret" value=fields.secret kind="password" mono=true fault=fault("secret") on_leave=leave("secret") /> }))}
                    <HeaderList headers=fields.headers faults=faults is_due=is_sent />
                </fieldset>
                <Flow fields=fields.flow faults=faults fault=fault leave=leave is_unfolded=is_unfolded retry=fields.retry sample=sample />
                <fieldset>
                    <legend>"For people"</legend>
                    <TextArea label="Description" value=fields.description rows=2 hint="At most 400 characters" fault=fault("description") on_leave=leave("description") />
                    <TextField label="Labels" value=fields.labels placeholder="team:billing, tier:gold" hint="key:value, separated by commas" fault=fault("labels") on_leave=leave("labels") />
                </fieldset>
                {refusal(failure)}
                {part(unplaced)}
                {part(move || (is_sent.get() && faults.with(|faults| !faults.is_empty())).then(|| view! { <p class="fault" role="alert">{said_of(faults.with(Vec::len))}</p> }))}
                <div class="form-foot">
                    <Submit label=if is_edit { "Save changes" } else { "Create webhook" } sending=sending />
                    <LinkButton label="Discard" href=back look=Look::Quiet />
                </div>
            </form>
            <aside class="preview" aria-label="Preview">{part(move || preview_view(preview.get()))}</aside>
        </div>
    }
}

fn said_of(number: usize) -> String {
    if number == 1 { String::from("One field is not right yet.") } else { format!("{number} things are not right yet.") }
}

/// Event types to press instead of typing them.
fn event_choices(suggestions: Memo<Vec<String>>, events: RwSignal<String>) -> View {
    let choice = move |pattern: String| {
        let (wanted, shown) = (pattern.clone(), pattern.clone());
        let is_on = move || events.with(|events| model::patterns(events).contains(&wanted));
        let pressed = is_on.clone();
        view! {
            <button
                type="button"
                class="chip mono"
                class:on=flag(is_on)
                aria-pressed=truth(pressed)
                on:click=hears(move |_| events.update(|events| *events = model::toggle(events, &pattern)))
            >
                {shown}
            </button>
        }
    };
    view! { <div class="chips" role="group" aria-label="Known events">{suggestions.get().into_iter().map(choice).collect_view()}</div> }
}

/// Extra headers.
#[component]
fn HeaderList(headers: RwSignal<Vec<HeaderFields>>, faults: Memo<Vec<Fault>>, is_due: RwSignal<bool>) -> View {
    let row = move |(at, fields): (usize, HeaderFields)| {
        let fault = move |part: &'static str| fault_when(faults, format!("headers/{at}/{part}"), move || is_due.get());
        let hint = if fields.is_stored { "Empty keeps the stored value" } else { "" };
        fields.protect_credentials();
        view! {
            <div class="header-row">
                <TextField label=format!("Header {}", at + 1) value=fields.key mono=true placeholder="x-api-key" fault=fault("key") />
                <TextField label="Value" value=fields.value mono=true hint=hint fault=fault("value") />
                <Switch label="Protected" value=fields.protected />
                {icon_button(Icon::Delete, format!("Remove header {}", at + 1), move || headers.update(|headers| {
                    headers.remove(at);
                }))}
            </div>
        }
    };
    let add = move || headers.update(|headers| headers.push(HeaderFields::of(HeaderDraft::default())));
    view! {
        <div class="headers" role="group" aria-label="Extra headers">
            {part(move || headers.get().into_iter().enumerate().map(row).collect_view())}
            <div class="beside"><Button label="Add a header" icon=Icon::Plus on_press=move |()| add() /><span class="hint">"A protected value is never shown again."</span></div>
        </div>
    }
}

fn preview_view(preview: Option<Preview>) -> View {
    let Some(preview) = preview else {
        return view! {
            <div class="card pad">
                <h2>"What will be sent"</h2>
                <p class="about">"Once name, URL and events fit, the exact callback is shown here."</p>
            </div>
        };
    };
    let sample = preview
        .is_sample_signed
        .then(|| view! { <p class="hint">"Signed with a sample secret here, with the webhook's own when it is sent."</p> });
    let later = preview
        .is_signed_later
        .then(|| view! { <p class="hint">"The signature (v1a, ed25519) is made when it is sent: it is not shown here."</p> });
    view! {
        <div class="card pad">
            <h2>"What will be sent"</h2>
            <p class="about">"For an event "<code>{preview.kind}</code></p>
            {header_lines(String::from("POST"), preview.headers)}
            {code_block("Body", preview.body)}
            {sample}
            {later}
        </div>
    }
}
