//! One request to one project: who calls, and what the project is asked for them.

use std::rc::Rc;

use futures_channel::oneshot;
use postern_core::egress::Policy;
use postern_core::fault::{self, InputFault};
use postern_core::operation::{Operation, Reads};
use postern_core::problem::ProblemType;
use postern_core::query;
use postern_core::token;
use postern_core::webhook::ProjectName;
use worker::{Context, Env};

use crate::caller::Caller;
use crate::config::Settings;
use crate::dispatch::Dispatcher;
use crate::http::credential::token_of;
use crate::http::problem::ApiError;
use crate::http::request::{IDEMPOTENCY_KEY, Incoming};
use crate::project_do::call::{self, CallError};
use crate::project_do::projects::May;
use crate::project_do::question::{Asking, Question};
use crate::project_do::wire::{Call, Once};

/// One request to one project, its caller known by the form of the token.
pub(crate) struct Session<'a> {
    pub(crate) env: &'a Env,
    pub(crate) context: &'a Context,
    pub(crate) settings: Rc<Settings>,
    pub(crate) project: ProjectName,
    pub(crate) caller: Caller,
    /// Where the request may be repeated and is then answered as the first time: see [`Session::once`].
    pub(crate) once: Option<Once>,
    pub(crate) incoming: &'a mut Incoming,
}

/// A request for an operation of a project, before anybody has looked who calls.
pub(crate) struct SessionStart<'a> {
    pub(crate) env: &'a Env,
    pub(crate) context: &'a Context,
    pub(crate) incoming: &'a mut Incoming,
    pub(crate) project: ProjectName,
    pub(crate) operation: Operation,
}

impl<'a> SessionStart<'a> {
    /// Finds out who calls, and checks what the API's description promises of every request for this
    /// operation: headers that read, no header, parameter or field that would be ignored. This comes before
    /// the body says whether this request needs a header.
    ///
    /// # Errors
    /// 401 or 404 by the form of the token; 422 for a parameter and for a field; see
    /// [`Incoming::check_headers`].
    pub(crate) async fn open(self) -> Result<Session<'a>, ApiError> {
        let Self { env, context, incoming, project, operation } = self;
        let settings = Settings::of(env)?;
        let caller = caller(&settings, token_of(incoming.authorization(), &["Bearer"]), &project)?;
        let session = Session::new(env, context, settings, project, caller, incoming);
        session.incoming.check_headers(operation)?;
        if !operation.reads(Reads::Query) {
            query::none(session.query()).map_err(InputFault::from)?;
        }
        if operation.reads(Reads::NoBody) {
            fault::no_fields(&session.incoming.optional_json_text().await?)?;
        }
        Ok(session)
    }
}

impl<'a> Session<'a> {
    /// A request of `caller` to `project`.
    pub(crate) fn new(
        env: &'a Env,
        context: &'a Context,
        settings: Rc<Settings>,
        project: ProjectName,
        caller: Caller,
        incoming: &'a mut Incoming,
    ) -> Self {
        incoming.standing.claim(&project, &caller);
        Self { env, context, settings, project, caller, once: None, incoming }
    }

    /// Asks the project.
    ///
    /// # Errors
    /// See [`call::ask`].
    pub(crate) async fn ask<Q: Question>(&self, question: Q) -> Result<Q::Reply, ApiError> {
        ask(self.env, self.incoming, &self.call(Asking(question))).await
    }

    /// Waits for what the project said, and has `asked` done to its end even if the client hangs up.
    ///
    /// # Errors
    /// See [`call::ask`].
    pub(crate) async fn ask_to_the_end<T>(
        &self,
        told: oneshot::Receiver<Result<T, CallError>>,
        asked: impl Future<Output = ()> + 'static,
    ) -> Result<T, ApiError> {
        self.context.wait_until(asked);
        let gone = |_canceled| ApiError::Internal(String::from("the call of the project was dropped"));
        self.incoming.standing.learn_from(told.await.map_err(gone)?)
    }

    /// Asks only whether the caller may do this, before the Worker does what the project has no part in.
    ///
    /// # Errors
    /// See [`Session::ask`]; 401 and 403 if the caller may not.
    pub(crate) async fn may(&self, operation: Operation) -> Result<(), ApiError> {
        self.ask(May { operation }).await?;
        Ok(())
    }

    /// The call that asks `command`.
    pub(crate) fn call<C>(&self, command: C) -> Call<C> {
        Call {
            once: self.once.clone(),
            ..self.incoming.call(self.project.clone(), self.caller.clone(), command)
        }
    }

    /// Takes the `Idempotency-Key` of a request whose answer holds no secret: the call that follows is done
    /// once, however often it is repeated. `body` is the request's. The key has been checked
    /// ([`SessionStart::open`]).
    pub(crate) fn once(&mut self, body: &str) {
        let Some(key) = self.incoming.header(IDEMPOTENCY_KEY) else { return };
        let digest = token::hash(&format!("{} {}\n{body}", self.incoming.method, self.incoming.parts().path));
        self.once = Some(Once { key, digest });
    }

    /// The raw query.
    pub(crate) fn query(&self) -> &str {
        self.incoming.parts().query
    }

    /// What may be called, with the host of this request as one of our own.
    pub(crate) fn policy(&self) -> Policy {
        self.settings.policy(Some(self.incoming.parts().host))
    }

    /// A dispatcher for what goes on after the answer.
    ///
    /// # Errors
    /// The deployment's secrets are missing.
    pub(crate) fn dispatcher(&self) -> Result<Dispatcher, ApiError> {
        Ok(Dispatcher::new(self.env, &self.incoming.id, Some(self.incoming.parts().host))?)
    }
}

/// Asks a project for the caller of `incoming`, and remembers whether it knew the caller.
///
/// # Errors
/// See [`call::ask`].
pub(crate) async fn ask<Q: Question>(
    env: &Env,
    incoming: &Incoming,
    call: &Call<Asking<Q>>,
) -> Result<Q::Reply, ApiError> {
    incoming.standing.learn_from(call::ask(env, call).await)
}

/// Who calls, as far as the token's form says it.
///
/// # Errors
/// 401 without a well-formed token; 404 where it names another project, which is answered like one that does
/// not exist.
pub(crate) fn caller(
    settings: &Settings,
    token: Option<&str>,
    project: &ProjectName,
) -> Result<Caller, ApiError> {
    let unauthorized = |detail| ApiError::problem(ProblemType::Unauthorized, detail);
    let token = token.ok_or_else(|| unauthorized("send Authorization: Bearer <token>"))?;
    if let Some(admin) = settings.admin(token) {
        return Ok(admin);
    }
    let named = token::project_of(token).ok_or_else(|| unauthorized(token::WRONG))?;
    if named == *project {
        Ok(Caller::Token(token::hash(token)))
    } else {
        Err(ApiError::problem(
            ProblemType::ProjectNotFound,
            format!("there is no project {} for this token", project.as_str()),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADMIN: &str = "admin-token-0123456789abcdef-0123456789";

    fn project() -> ProjectName {
        ProjectName::parse("p1").unwrap()
    }

    fn status(outcome: Result<Caller, ApiError>) -> Option<u16> {
        match outcome {
            Err(ApiError::Problem(problem)) => Some(problem.status),
            _ => None,
        }
    }

    fn settings() -> Settings {
        Settings::for_tests(ADMIN)
    }

    #[test]
    fn a_token_is_told_by_its_form() {
        let token = token::mint(&project(), &[7; 32]);
        let mine = caller(&settings(), Some(&token), &project()).unwrap();
        assert_eq!(mine, Caller::Token(token::hash(&token)));
        assert_eq!(caller(&settings(), Some(ADMIN), &project()).unwrap(), Caller::Admin);
        assert_eq!(status(caller(&settings(), None, &project())), Some(401));
        assert_eq!(
            caller(&settings(), Some("ada-0123456789abcdef0123456789abcdef"), &project()).unwrap(),
            Caller::admin("ada")
        );
        assert_eq!(status(caller(&settings(), Some("abc"), &project())), Some(401));
        let other = token::mint(&ProjectName::parse("p2").unwrap(), &[7; 32]);
        assert_eq!(status(caller(&settings(), Some(&other), &project())), Some(404));
    }
}
