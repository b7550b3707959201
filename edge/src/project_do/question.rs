//! What a question is: one type beside its answer.
//!
//! Each file of this folder that is named for a resource holds its questions. A question that is not in its
//! file's list (`questions!`), or does not say who may ask it and whether it needs the alarm, does not
//! compile.

use postern_core::operation::Operation;
use postern_core::problem::{Problem, ProblemType};
use postern_core::token;
use postern_core::webhook::ProjectName;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize, Serializer};

use super::refusal::Refusal;
use super::turn::Turn;
use super::wire::Named;
use crate::caller::Caller;

/// One thing that a project can be asked.
pub(crate) trait Question: Listed + Serialize + DeserializeOwned + 'static {
    /// Its name between the Worker and the object, see `wire`.
    const NAME: &'static str;
    /// Who may ask it.
    const NEED: Need<Self>;
    /// What its answer means for the alarm.
    const ARMS: Arms;
    /// Its answer.
    type Reply: Reply;

    /// Answers it. Nothing here waits.
    ///
    /// # Errors
    /// It is refused, or the object failed; nothing was written then.
    fn answer(self, turn: &mut Turn<'_>) -> Result<Self::Reply, Refusal>;
}

/// A question that the object can find by its name: `questions!` makes it one.
pub(crate) trait Listed {}

/// Who may ask a question. It stands for one operation of the native API, in whatever words it came.
pub(crate) enum Need<Q: Question> {
    /// Callers who may ask for this operation ([`Operation::needs`]).
    Of(Operation),
    /// The same, where the operation depends on what is asked.
    OfContent(fn(&Q) -> Operation),
    /// Postern itself; with the reply if there is no such project.
    Postern(fn() -> Q::Reply),
}

impl<Q: Question> Need<Q> {
    /// The operation that a caller asks for; `None` if only Postern itself may ask.
    pub(crate) fn operation(&self, question: &Q) -> Option<Operation> {
        match self {
            Self::Of(operation) => Some(*operation),
            Self::OfContent(operation) => Some(operation(question)),
            Self::Postern(_) => None,
        }
    }
}

/// What an answer means for the alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arms {
    /// It may leave something to be done later: the alarm is armed for what comes next.
    Alarm,
    /// It leaves nothing to be done later.
    Nothing,
}

/// An answer to a question.
pub(crate) trait Reply: Serialize + DeserializeOwned {
    /// Its name between the object and the Worker, and in answers that are kept.
    const NAME: &'static str;

    /// The reply as it is given again to a caller who repeats the question, who must not make its calls
    /// again; `None`: it asks for no calls.
    fn without_calls(&self) -> Option<Self>;
}

/// Types that are replies which ask for no calls, with their names.
macro_rules! replies {
    ($($type:ty => $name:literal,)*) => {$(
        impl $crate::project_do::question::Reply for $type {
            const NAME: &'static str = $name;

            fn without_calls(&self) -> Option<Self> {
                None
            }
        }
    )*};
}
pub(super) use replies;

/// The reply to what is done and has nothing to show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Done;

replies! {
    Done => "done",
}

/// A question as the Worker sends it.
#[derive(Clone, Debug)]
pub(crate) struct Asking<Q>(pub(crate) Q);

impl<Q: Question> Serialize for Asking<Q> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Named(Q::NAME, &self.0).serialize(serializer)
    }
}

/// The reply if there is no such project.
///
/// # Errors
/// See [`no_project`].
pub(super) fn without_project<Q: Question>(
    caller: &Caller,
    project: &ProjectName,
) -> Result<Q::Reply, Refusal> {
    match (caller, Q::NEED) {
        (Caller::Postern, Need::Postern(absent)) => Ok(absent()),
        _ => Err(no_project(caller, project)),
    }
}

/// What a caller is told if there is no such project: a token's holder that the token is wrong, an
/// administrator the truth.
pub(super) fn no_project(caller: &Caller, project: &ProjectName) -> Refusal {
    let project = project.as_str();
    match caller {
        Caller::Token(_) => Problem::new(ProblemType::Unauthorized, token::WRONG).into(),
        Caller::Postern => Refusal::Failed(format!("there is no project {project}")),
        Caller::Admin | Caller::NamedAdmin(_) => {
            Problem::new(ProblemType::ProjectNotFound, format!("there is no project {project}")).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use postern_core::event::NewEvent;
    use postern_core::operation::Needs;
    use postern_core::token::Role;
    use postern_ledger::WorkSet;
    use serde_json::value::RawValue;

    use super::super::deliveries::ResendDelivery;
    use super::super::erased::text_of;
    use super::super::events::{Accepted, DryRunEvent, Ingest};
    use super::super::live_tickets::CreateLiveTicket;
    use super::super::projects::{Founding, May, ShowProject};
    use super::super::replays::ShowReplay;
    use super::super::table;
    use super::super::tokens::DeleteToken;
    use super::super::up42::{ShowUp42Webhook, TryUp42Webhook, UpdateUp42Webhook};
    use super::super::watchdog::Tick;
    use super::super::webhooks::{PauseWebhook, ShowSecret};
    use super::super::wire::{Call, value_of};
    use super::*;
    use crate::log::RequestId;

    fn call<C>(command: C) -> Call<C> {
        Call {
            project: ProjectName::parse("p1").unwrap(),
            caller: Caller::Token(String::from("ab12")),
            request_id: RequestId::new([0; 8]),
            origin: String::from("https://a.example"),
            address: None,
            once: None,
            command,
        }
    }

    #[test]
    fn the_wire_form_of_a_call_does_not_change_by_accident() {
        let data =
            RawValue::from_string(String::from(r#"{"a":{"b":[1,2]},"big":12345678901234567890}"#)).unwrap();
        let event = NewEvent::new(String::from("order.paid"), data);
        let text = serde_json::to_string(&call(Asking(Ingest { events: vec![event] }))).unwrap();
        assert_eq!(
            text,
            concat!(
                r#"{"project":"p1","caller":{"token":"ab12"},"request_id":"0000000000000000","origin":"https://a.example","#,
                r#""command":{"ingest":{"events":[{"type":"order.paid","data":{"a":{"b":[1,2]},"big":12345678901234567890}}]}}}"#
            )
        );
    }

    #[test]
    fn event_data_passes_through_a_call_as_it_was_written() {
        let written = r#"{"z":1,"a":{"m":{}},"n":1e400,"s":" 1 "}"#;
        let data = RawValue::from_string(String::from(written)).unwrap();
        let event =
            NewEvent { idempotency_key: Some(String::from("k")), ..NewEvent::new(String::from("a"), data) };
        let text = serde_json::to_string(&call(Asking(Ingest { events: vec![event] }))).unwrap();
        let read: Call<&RawValue> = serde_json::from_str(&text).unwrap();
        let Ingest { events } =
            serde_json::from_str(value_of(read.command.get(), Ingest::NAME).unwrap().get()).unwrap();
        assert_eq!(events[0].data.get(), written);
    }

    #[test]
    fn a_reply_with_raw_data_reads_back() {
        let reply = Accepted { items: Vec::new(), work: WorkSet::default() };
        let text = text_of(&reply).unwrap();
        assert_eq!(text, r#"{"accepted":{"items":[],"work":{"events":[],"works":[]}}}"#);
        let value = value_of(&text, Accepted::NAME).unwrap();
        assert!(serde_json::from_str::<Accepted>(value.get()).is_ok());
    }

    #[test]
    fn questions_of_an_older_worker_are_found_by_their_names() {
        for (text, operation) in [
            (r#""show_project""#, Some(Operation::ListProjects)),
            (r#"{"show_project":null}"#, Some(Operation::ListProjects)),
            (r#"{"config":"show"}"#, Some(Operation::GetConfiguration)),
            (r#"{"config":{"plan":{"body":"{}"}}}"#, Some(Operation::PlanConfiguration)),
            (r#"{"up42":{"show":{"id":"whk_1"}}}"#, Some(Operation::GetWebhook)),
            (r#"{"runs":{"statuses":{"limit":1}}}"#, Some(Operation::ListRuns)),
            (r#"{"pause_webhook":{"name":"w","paused":true}}"#, Some(Operation::PauseWebhook)),
            (r#"{"pause_webhook":{"name":"w","paused":false}}"#, Some(Operation::ResumeWebhook)),
            (r#""tick""#, None),
        ] {
            let raw: &RawValue = serde_json::from_str(text).unwrap();
            let question = table::read(raw).unwrap_or_else(|refusal| panic!("{text}: {refusal:?}"));
            assert_eq!(question.operation(), operation, "{text}");
        }
        for text in [r#""show""#, r#"{"config":{}}"#, r#"{"config":{"show":null,"plan":null}}"#, "1", "{}"] {
            let raw: &RawValue = serde_json::from_str(text).unwrap();
            assert!(table::read(raw).is_err(), "{text}");
        }
    }

    #[test]
    fn no_two_questions_have_one_name() {
        let mut names: Vec<_> = table::names().collect();
        names.sort_unstable();
        let number = names.len();
        names.dedup();
        assert_eq!(names.len(), number);
    }

    #[test]
    fn a_project_is_founded_under_the_name_that_it_always_had() {
        let founding = Founding::CreateProject { token_hash: String::from("h") };
        assert_eq!(serde_json::to_string(&founding).unwrap(), r#"{"create_project":{"token_hash":"h"}}"#);
    }

    /// What of callers a question needs; `None` if only Postern itself may ask.
    fn needs<Q: Question>(question: &Q) -> Option<Needs> {
        Q::NEED.operation(question).map(Operation::needs)
    }

    /// The roles that may ask it.
    fn roles<Q: Question>(question: &Q) -> Vec<Role> {
        let needs = needs(question);
        Role::ALL.into_iter().filter(|role| needs.is_some_and(|needs| needs.allows(*role))).collect()
    }

    #[test]
    fn secrets_and_changes_need_a_manage_token() {
        let id = String::new;
        assert_eq!(roles(&ShowSecret { name: id() }), [Role::Manage]);
        assert_eq!(roles(&DeleteToken { id: id() }), [Role::Manage]);
        assert_eq!(roles(&ResendDelivery { id: id() }), [Role::Manage]);
        assert_eq!(roles(&PauseWebhook { name: id(), paused: true, if_version: None }), [Role::Manage]);
        let event = NewEvent::new(String::from("a"), RawValue::NULL.to_owned());
        assert_eq!(roles(&DryRunEvent { event, webhook: None }), [Role::Manage], "it shows signatures");
        assert_eq!(roles(&ShowReplay { id: id() }), [Role::Manage, Role::Read]);
        assert_eq!(roles(&Ingest { events: Vec::new() }), [Role::Manage, Role::Publish]);
        let listen = Operation::Listen.needs();
        let listeners: Vec<Role> = Role::ALL.into_iter().filter(|role| listen.allows(*role)).collect();
        assert_eq!(listeners, [Role::Manage, Role::Read]);
        assert_eq!(roles(&CreateLiveTicket { hash: id() }), [Role::Manage, Role::Read]);
        assert_eq!(roles(&ShowProject), Role::ALL);
        assert_eq!(roles(&Tick), []);
        assert_eq!(roles(&May { operation: Operation::CreateRun }), [Role::Manage, Role::Execute]);
        assert_eq!(roles(&ShowUp42Webhook { id: id() }), [Role::Manage, Role::Read]);
        assert_eq!(roles(&TryUp42Webhook { id: id() }), [Role::Manage]);
        assert_eq!(roles(&UpdateUp42Webhook { id: id(), body: id() }), [Role::Manage]);
        assert_eq!(Operation::CreateProject.needs(), Needs::Admin);
    }
}
