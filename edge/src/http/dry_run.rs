//! `/v1/projects/{project}/events/dry-run`: what an event would do. Nothing is stored or sent.
//!
//! The project says who would get the event and why; what each request would look like is made here, where
//! secrets can be opened, by the very functions that make the real ones.

use postern_core::api::dry_run::{BODIES_BYTES_MAX, DryRunRequest, DryRunView, DryRunWebhook};
use postern_core::contract::{self, Rendering, Source};
use postern_core::event;
use postern_core::fault::InputFault;
use postern_core::query::DryRunQuery;
use postern_core::webhook::Definition;
use postern_ledger::{DryRun, DryRunOf};

use super::problem::{Answer, ApiError};
use crate::project_do::events::DryRunEvent;
use crate::seal::{self, Owner};
use crate::session::Session;

/// `POST`: 200, webhook by webhook; 404 for an unknown one, 422.
pub(crate) async fn show(session: &mut Session<'_>) -> Result<Answer, ApiError> {
    let query = DryRunQuery::parse(session.query()).map_err(InputFault::from)?;
    let event = event::parse_event(&session.incoming.json_text().await?)?;
    let run = session.ask(DryRunEvent { event, webhook: query.webhook }).await?;
    let mut room = BODIES_BYTES_MAX;
    let webhooks =
        run.webhooks.iter().map(|of| shown(session, &run, of, &mut room)).collect::<Result<_, _>>()?;
    Answer::json(200, &DryRunView { webhooks })
}

/// What is said of one webhook; `room` is how many bytes of bodies the answer still holds.
fn shown(
    session: &Session<'_>,
    run: &DryRun,
    of: &DryRunOf,
    room: &mut usize,
) -> Result<DryRunWebhook, ApiError> {
    let matched = of.matching.matched;
    Ok(DryRunWebhook {
        webhook: of.webhook.clone(),
        webhook_id: of.webhook_id.clone(),
        matched,
        delivers: matched && of.enabled,
        reasons: of.matching.reasons.clone(),
        request: match &of.definition {
            Some(definition) if *room > 0 => Some(request(session, run, &of.webhook_id, definition)?)
                .filter(|request| takes(room, request.body.len())),
            _ => None,
        },
        timeline: of.timeline.clone(),
    })
}

/// Takes `bytes` of what is left; what does not fit leaves nothing.
fn takes(room: &mut usize, bytes: usize) -> bool {
    let left = room.checked_sub(bytes);
    *room = left.unwrap_or(0);
    left.is_some()
}

/// What `webhook` with this sealed definition would be sent.
fn request(
    session: &Session<'_>,
    run: &DryRun,
    webhook: &str,
    definition: &Definition,
) -> Result<DryRunRequest, ApiError> {
    let owner = Owner { project: &session.project, id: webhook };
    let plain = seal::unseal(&session.settings.keyring, owner, definition)
        .map_err(|fault| ApiError::internal(&fault))?;
    let event = &run.event;
    let source = Source {
        kind: &event.kind,
        accepted_at: event.accepted_at,
        data: &event.data,
        object: event.object.as_ref(),
    };
    let rendering = Rendering::for_event(&plain, &event.kind);
    let callback = contract::build(&plain, &rendering, &source, &run.message_id, event.accepted_at)
        .map_err(|fault| ApiError::internal(&fault))?;
    Ok(DryRunRequest {
        method: String::from("POST"),
        url: plain.url,
        headers: callback.shown_headers,
        body: callback.body,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_shown_until_one_does_not_fit() {
        let mut room = 10;
        let shown: Vec<bool> =
            [4, 6, 1, 0].into_iter().map(|bytes| room > 0 && takes(&mut room, bytes)).collect();
        assert_eq!(shown, [true, true, false, false]);
        let mut room = 10;
        let shown: Vec<bool> =
            [4, 7, 1].into_iter().map(|bytes| room > 0 && takes(&mut room, bytes)).collect();
        assert_eq!(shown, [true, false, false], "none after the first that did not fit");
    }
}
