//! What applying a document would change.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::declare::{self, Declared, draft_of};
use super::request::Request;
use super::state::State;
use super::view::{Action, Kind, PlanView, PlannedChange};
use crate::api::event::EventTypeView;
use crate::api::project::ProjectSettings;
use crate::change::{Change, Changes, SET};
use crate::egress::Policy;
use crate::event::EventTypeDraft;
use crate::fault::Faults;
use crate::webhook::Definition;
use crate::webhook::parse::SecretChoice;

/// The note about a webhook whose secret is made.
const NEW_SECRET: &str = "there is no secret to keep, so a new one is made; give it to the receiver";
/// Characters of a value that a line of the text shows at most.
const SHOWN_CHARS_MAX: usize = 160;

/// One thing to be written. Definitions are plain.
#[derive(Clone, Debug)]
pub enum Step {
    /// These are the settings.
    Settings(ProjectSettings),
    /// This is what the catalogue says of a type.
    PutEventType(EventTypeDraft),
    /// The catalogue no longer has this type.
    DeleteEventType(String),
    /// A new webhook, with a secret that may have to be made.
    CreateWebhook(Box<Definition>, SecretChoice),
    /// A webhook has this definition, with a secret that may have to be made.
    UpdateWebhook(Box<Definition>, SecretChoice),
    /// There is no webhook of this name.
    DeleteWebhook(String),
}

/// What is to be written, and what people read about it.
#[derive(Clone, Debug)]
pub struct Plan {
    /// In the order in which they are written.
    pub steps: Vec<Step>,
    /// One for each step.
    pub changes: Vec<PlannedChange>,
}

impl Plan {
    /// For the answer; `base` is the digest of the state that the plan is for.
    #[must_use]
    pub fn view(&self, base: String) -> PlanView {
        PlanView { base, changes: self.changes.clone(), text: text_of(&self.changes) }
    }

    fn add(&mut self, step: Step, action: Action, kind: Kind, name: &str, fields: Changes) {
        self.steps.push(step);
        self.changes.push(PlannedChange {
            action,
            kind,
            name: String::from(name),
            fields,
            notes: Vec::new(),
        });
    }
}

/// What applying the document of `request` to `state` would change.
///
/// # Errors
/// Everything that is wrong with the document, with pointers such as `/document/webhooks/3/url`.
pub fn plan(state: &State, request: &Request, policy: &Policy) -> Result<Plan, Faults> {
    let Declared { settings, event_types, webhooks } = declare::read(&request.document, state, policy)?;
    let mut plan = Plan { steps: Vec::new(), changes: Vec::new() };
    if let Some(settings) = settings {
        let fields = Changes::of_settings(&state.settings, &settings);
        if !fields.is_empty() {
            plan.add(Step::Settings(settings), Action::Update, Kind::Settings, "", fields);
        }
    }
    if let Some(event_types) = event_types {
        let named: BTreeSet<String> = event_types.iter().map(|kind| kind.name.clone()).collect();
        put_event_types(&mut plan, state, event_types);
        if request.prune {
            delete_event_types(&mut plan, state, &named);
        }
    }
    if let Some(webhooks) = webhooks {
        let named: BTreeSet<String> =
            webhooks.iter().map(|(webhook, _choice)| String::from(webhook.name.as_str())).collect();
        put_webhooks(&mut plan, state, webhooks);
        if request.prune {
            delete_webhooks(&mut plan, state, &named);
        }
    }
    Ok(plan)
}

/// The event types that a document names.
fn put_event_types(plan: &mut Plan, state: &State, declared: Vec<EventTypeDraft>) {
    let known: BTreeMap<&str, &EventTypeView> =
        state.event_types.iter().map(|known| (known.name.as_str(), known)).collect();
    for draft in declared {
        let before = known.get(draft.name.as_str()).copied();
        if before.is_some_and(|before| is_same(&draft, before)) {
            continue;
        }
        let after = view_of(draft, before);
        let fields = Changes::of_event_type(before, Some(&after));
        if !fields.is_empty() {
            let action = if before.is_some() { Action::Update } else { Action::Create };
            let name = after.name.clone();
            plan.add(Step::PutEventType(draft_of(after)), action, Kind::EventType, &name, fields);
        }
    }
}

/// The event types that a document does not name.
fn delete_event_types(plan: &mut Plan, state: &State, named: &BTreeSet<String>) {
    for gone in state.event_types.iter().filter(|known| !named.contains(&known.name)) {
        let fields = Changes::of_event_type(Some(gone), None);
        plan.add(
            Step::DeleteEventType(gone.name.clone()),
            Action::Delete,
            Kind::EventType,
            &gone.name,
            fields,
        );
    }
}

/// What the catalogue will say; version and time play no part in a comparison.
fn view_of(draft: EventTypeDraft, before: Option<&EventTypeView>) -> EventTypeView {
    let EventTypeDraft { name, description, example, schema, archived } = draft;
    let (version, created_at) =
        before.map_or((1, crate::time::Timestamp(0)), |before| (before.version, before.created_at));
    EventTypeView { name, description, example, schema, archived, version, created_at }
}

/// Whether the catalogue says the same already.
fn is_same(draft: &EventTypeDraft, known: &EventTypeView) -> bool {
    let EventTypeDraft { name, description, example, schema, archived } = draft;
    (name, description, example, schema, *archived)
        == (&known.name, &known.description, &known.example, &known.schema, known.archived)
}

/// The webhooks that a document names.
fn put_webhooks(plan: &mut Plan, state: &State, declared: Vec<(Definition, SecretChoice)>) {
    let known = state.webhooks_by_name();
    for (webhook, choice) in declared {
        let name = String::from(webhook.name.as_str());
        let before = known.get(name.as_str()).copied();
        if choice != SecretChoice::Generate && before == Some(&webhook) {
            continue;
        }
        let mut fields = Changes::of_webhook(before, Some(&webhook));
        if choice == SecretChoice::Generate {
            fields.0.insert(String::from("secret"), Change { from: Value::Null, to: json!(SET) });
        }
        match before {
            None => plan.add(
                Step::CreateWebhook(Box::new(webhook), choice),
                Action::Create,
                Kind::Webhook,
                &name,
                fields,
            ),
            Some(_) if fields.is_empty() => continue,
            Some(_) => plan.add(
                Step::UpdateWebhook(Box::new(webhook), choice),
                Action::Update,
                Kind::Webhook,
                &name,
                fields,
            ),
        }
        if let (SecretChoice::Generate, Some(change)) = (choice, plan.changes.last_mut()) {
            change.notes.push(String::from(NEW_SECRET));
        }
    }
}

/// The webhooks that a document does not name.
fn delete_webhooks(plan: &mut Plan, state: &State, named: &BTreeSet<String>) {
    for (_version, gone) in
        state.webhooks.iter().filter(|(_version, known)| !named.contains(known.name.as_str()))
    {
        let name = gone.name.as_str();
        let fields = Changes::of_webhook(Some(gone), None);
        plan.add(Step::DeleteWebhook(String::from(name)), Action::Delete, Kind::Webhook, name, fields);
    }
}

/// The changes as lines: `+ webhook orders`, `~ webhook w`, `- event type a`, each with its fields below.
fn text_of(changes: &[PlannedChange]) -> String {
    if changes.is_empty() {
        return String::from("Nothing changes.\n");
    }
    let mut text = String::new();
    for PlannedChange { action, kind, name, fields, notes } in changes {
        let (sign, kind) = (sign_of(*action), kind_of(*kind));
        let gap = if name.is_empty() { "" } else { " " };
        let _infallible = writeln!(text, "{sign} {kind}{gap}{name}");
        for (field, Change { from, to }) in &fields.0 {
            let _infallible = match action {
                Action::Create => writeln!(text, "    {field}: {}", shown(to)),
                Action::Update => writeln!(text, "    {field}: {} -> {}", shown(from), shown(to)),
                Action::Delete => Ok(()),
            };
        }
        for note in notes {
            let _infallible = writeln!(text, "    ({note})");
        }
    }
    text
}

const fn sign_of(action: Action) -> char {
    match action {
        Action::Create => '+',
        Action::Update => '~',
        Action::Delete => '-',
    }
}

const fn kind_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Settings => "settings",
        Kind::EventType => "event type",
        Kind::Webhook => "webhook",
    }
}

fn shown(value: &Value) -> String {
    crate::fault::shown(value, SHOWN_CHARS_MAX)
}
