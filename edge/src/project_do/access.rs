//! Who may ask what.

use postern_core::api::audit::Actor;
use postern_core::operation::{Needs, Operation};
use postern_core::problem::{Problem, ProblemType};
use postern_core::time::Timestamp;
use postern_core::token;
use postern_ledger::{Acting, Ledger, Verified};

use super::refusal::Refusal;
use super::sql::ObjectSql;
use super::wire::Call;
use crate::caller::Caller;

/// Whether `caller` may ask for `operation` (`None`: for what only Postern itself asks); gives the token, if
/// it has one.
///
/// # Errors
/// 401 for a token that does not verify, 403 for one that does not suffice.
pub(super) fn authorize(
    ledger: &Ledger<ObjectSql>,
    caller: &Caller,
    operation: Option<Operation>,
    now: Timestamp,
) -> Result<Option<Verified>, Refusal> {
    let (hash, needs) = match (caller, operation) {
        (Caller::Postern, None) | (Caller::Admin | Caller::NamedAdmin(_), Some(_)) => return Ok(None),
        (Caller::Postern, Some(_)) | (_, None) => {
            return Err(Refusal::Failed(format!("{caller:?} asked what needs {operation:?}")));
        }
        (Caller::Token(hash), Some(operation)) => (hash, operation.needs()),
    };
    let token = ledger.verify_token(hash, now).ok_or_else(unauthorized)?;
    match needs {
        needs if needs.allows(token.role) => Ok(Some(token)),
        Needs::Admin => {
            Err(forbidden("only an admin token (ADMIN_TOKEN or one of ADMIN_TOKENS) can do this"))
        }
        _ => Err(forbidden(&format!("a token with the role {} can't do this", token.role.as_str()))),
    }
}

/// Who does what `call` asks, for the audit log.
pub(super) fn acting<C>(call: &Call<C>, actor: Actor) -> Acting {
    Acting { actor, address: call.address.clone(), request_id: Some(String::from(call.request_id.as_str())) }
}

/// 401.
pub(super) fn unauthorized() -> Refusal {
    Refusal::from(Problem::new(ProblemType::Unauthorized, token::WRONG))
}

fn forbidden(detail: &str) -> Refusal {
    Refusal::from(Problem::new(ProblemType::Forbidden, detail))
}
