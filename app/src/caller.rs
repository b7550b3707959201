//! What the token that is signed in may do, so that nothing is offered that would be refused.

use leptos::prelude::*;
use postern_core::operation::Operation;
use postern_core::token::Role;

use crate::api::Api;
use crate::fetched::when;
use crate::session::use_session;

/// The role of the token, once a screen has asked for it.
#[derive(Clone, Copy)]
pub(crate) struct Caller {
    role: RwSignal<Option<Role>>,
    was_asked: StoredValue<bool>,
}

impl Caller {
    /// Offers itself to everything below. Nothing is asked before a screen wants to know.
    pub(crate) fn provide() {
        provide_context(Self { role: RwSignal::new(None), was_asked: StoredValue::new(false) });
    }
}

/// Whether the token may ask for an operation. Until its role is known it may: most tokens of people are for
/// everything, and the server decides again in any case.
pub(crate) fn use_may(operation: Operation) -> Memo<bool> {
    let (caller, session): (Caller, _) = (expect_context(), use_session());
    if let Some(token) = session.token_now().filter(|_| !caller.was_asked.get_value()) {
        caller.was_asked.set_value(true);
        when(Api::whose(token), move |answer| match answer {
            Ok(identity) => caller.role.set(Some(identity.role)),
            // To be asked again by the next screen.
            Err(_failure) => caller.was_asked.set_value(false),
        });
    }
    Memo::new(move |_| caller.role.get().is_none_or(|role| operation.needs().allows(role)))
}
