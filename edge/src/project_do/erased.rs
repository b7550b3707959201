//! A question whose type only the table knows.

use postern_core::operation::Operation;
use postern_core::webhook::ProjectName;
use serde_json::value::RawValue;

use super::question::{self, Arms, Question, Reply};
use super::refusal::Refusal;
use super::turn::Turn;
use super::wire::Named;
use crate::caller::Caller;

/// A question whose type is known to the table only.
pub(super) trait AnyQuestion {
    /// The operation that a caller asks for with it; `None` if only Postern itself may ask.
    fn operation(&self) -> Option<Operation>;
    /// What its answer means for the alarm.
    fn arms(&self) -> Arms;
    /// Answers it.
    fn answer(self: Box<Self>, turn: &mut Turn<'_>, repeat: Repeat) -> Result<Written, Refusal>;
    /// The reply if there is no such project.
    fn without_project(&self, caller: &Caller, project: &ProjectName) -> Result<String, Refusal>;
}

/// Whether the caller may repeat a question and is then given the same answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repeat {
    /// Yes: the reply is kept.
    Kept,
    /// No.
    Never,
}

/// A reply as text.
pub(super) struct Written {
    /// As the Worker reads it.
    pub(super) reply: String,
    /// What is kept of it, if anything: see [`Reply::without_calls`].
    pub(super) kept: Option<String>,
}

impl<Q: Question> AnyQuestion for Q {
    fn operation(&self) -> Option<Operation> {
        Q::NEED.operation(self)
    }

    fn arms(&self) -> Arms {
        Q::ARMS
    }

    fn answer(self: Box<Self>, turn: &mut Turn<'_>, repeat: Repeat) -> Result<Written, Refusal> {
        let answer = Q::answer(*self, turn)?;
        let reply = text_of(&answer)?;
        let kept = match repeat {
            Repeat::Never => None,
            Repeat::Kept => {
                Some(answer.without_calls().map_or_else(|| Ok(reply.clone()), |kept| text_of(&kept))?)
            }
        };
        Ok(Written { reply, kept })
    }

    fn without_project(&self, caller: &Caller, project: &ProjectName) -> Result<String, Refusal> {
        text_of(&question::without_project::<Q>(caller, project)?)
    }
}

/// The reply as the Worker reads it.
pub(super) fn text_of<R: Reply>(reply: &R) -> Result<String, Refusal> {
    serde_json::to_string(&Named(R::NAME, reply))
        .map_err(|error| Refusal::Failed(format!("a reply does not serialise: {error}")))
}

/// How the questions of one type are read.
pub(super) struct Row {
    /// Their name.
    pub(super) name: &'static str,
    /// Reads one.
    pub(super) read: fn(&RawValue) -> serde_json::Result<Box<dyn AnyQuestion>>,
}

impl Row {
    /// Of `Q`.
    pub(super) const fn of<Q: Question>() -> Self {
        Self { name: Q::NAME, read: read_as::<Q> }
    }
}

fn read_as<Q: Question>(text: &RawValue) -> serde_json::Result<Box<dyn AnyQuestion>> {
    Ok(Box::new(serde_json::from_str::<Q>(text.get())?))
}

/// The questions of a file, which `table` reads. One that is left out does not compile.
macro_rules! questions {
    ($($question:ident),+ $(,)?) => {
        $(impl $crate::project_do::question::Listed for $question {})+

        pub(super) const QUESTIONS: &[$crate::project_do::erased::Row] =
            &[$($crate::project_do::erased::Row::of::<$question>()),+];
    };
}
pub(super) use questions;
