//! Answers a question: who may ask, what its type answers, what is kept of the answer, when the alarm must
//! ring.

use postern_core::api::audit::Actor;
use postern_core::time::Timestamp;
use postern_engine::Rest;
use postern_ledger::Ledger;
use serde_json::value::RawValue;
use worker::Env;

use super::access::{acting, authorize};
use super::armed::Alarm;
use super::changes::Changes;
use super::erased::{Repeat, Written};
use super::question::Arms;
use super::refusal::Refusal;
use super::sql::ObjectSql;
use super::table;
use super::turn::Turn;
use super::wire::{Call, Once};
use crate::config::Settings;

/// What follows a question.
#[derive(Debug)]
pub(super) struct Answered {
    /// The reply, as the Worker reads it.
    pub(super) reply: String,
    /// The alarm must ring then.
    pub(super) wake_at: Option<Timestamp>,
    /// What the live feed is told.
    pub(super) changes: Changes,
}

/// Answers `call`.
pub(super) fn answer(
    ledger: &mut Ledger<ObjectSql>,
    alarm: &Alarm,
    env: &Env,
    call: &Call<&RawValue>,
    now: Timestamp,
) -> Result<Answered, Refusal> {
    let question = table::read(call.command)?;
    let token = authorize(ledger, &call.caller, question.operation(), now)?;
    if let Some(token) = &token {
        ledger.note_use(token, now)?;
    }
    let actor = token
        .as_ref()
        .map(|token| token.actor.clone())
        .or_else(|| call.caller.actor())
        .unwrap_or_else(Actor::postern);
    ledger.act_as(acting(call, actor));
    if let Some(Once { key, digest }) = &call.once
        && let Some(reply) = ledger.answered_before(key, digest, now)?
    {
        return Ok(Answered { reply, wake_at: None, changes: Changes::default() });
    }
    let settings = Settings::of(env)?;
    let mut turn = Turn {
        ledger,
        alarm,
        settings: &settings,
        project: &call.project,
        caller: &call.caller,
        origin: &call.origin,
        now,
        token,
        changes: Changes::default(),
    };
    let arms = question.arms();
    let repeat = if call.once.is_some() { Repeat::Kept } else { Repeat::Never };
    let Written { reply, kept } = question.answer(&mut turn, repeat)?;
    let changes = turn.changes;
    // In the same turn as what it answers, so both are durable together.
    if let (Some(Once { key, digest }), Some(kept)) = (&call.once, &kept) {
        ledger.keep_answer(key, digest, kept, now)?;
    }
    let wake_at = match arms {
        Arms::Alarm => alarm.wake_at(ledger, Rest::None, now)?,
        Arms::Nothing => None,
    };
    Ok(Answered { reply, wake_at, changes })
}

/// The reply if there is no such project.
pub(super) fn without_project(call: &Call<&RawValue>) -> Result<String, Refusal> {
    table::read(call.command)?.without_project(&call.caller, &call.project)
}
