//! Calls of one isolate that reach their project together ([`postern_engine::Intake`]), and how they travel:
//! as a JSON list, answered by a list in the same order. A call that finds nobody calling travels alone, as
//! it is.
//!
//! A request may not wait for another's promise, and must not look idle while it waits (docs/platform.md
//! 1.9): so each waits for a promise of its own, which whoever carries resolves, and beside a timer of its
//! own.

use std::cell::RefCell;

use futures_util::FutureExt as _;
use futures_util::future::{self, Either, LocalBoxFuture};
use js_sys::{Function, Promise};
use postern_core::webhook::ProjectName;
use postern_engine::{Intake, Load, Round};
use serde_json::value::RawValue;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;

use crate::clock;

/// How long a request waits for its reply.
const PATIENCE_MS: u32 = 60_000;

thread_local! {
    /// What this isolate has to ask.
    static INTAKE: RefCell<Intake<Waiting>> = const { RefCell::new(Intake::new(Load::PLATFORM)) };
}

/// A call that waits to be sent, and what tells the request that it belongs to.
struct Waiting {
    text: String,
    resolve: Function,
    reject: Function,
}

impl Waiting {
    /// Tells the request. One that has gone is not told, which is no fault of the others.
    fn tell(&self, reply: Result<&str, &str>) {
        let (told, text) = match reply {
            Ok(reply) => (&self.resolve, reply),
            Err(error) => (&self.reject, error),
        };
        let _gone = told.call1(&JsValue::UNDEFINED, &JsValue::from_str(text));
    }
}

/// The right to the reply of a call that travels with others.
pub(crate) struct Ticket(JsFuture);

impl Ticket {
    /// Waits for the text of the reply.
    ///
    /// # Errors
    /// Why the project could not be reached; it says nothing for [`PATIENCE_MS`].
    pub(super) async fn reply(self) -> Result<String, String> {
        match future::select(self.0, clock::sleep(PATIENCE_MS)).await {
            Either::Left((Ok(reply), _)) => Ok(reply.as_string().unwrap_or_default()),
            Either::Left((Err(error), _)) => Err(error.as_string().unwrap_or_default()),
            Either::Right(_) => Err(String::from("no reply in time")),
        }
    }
}

/// Sends the text of a call to the project, or of several calls; gives the text of the reply.
type Send = Box<dyn Fn(String) -> LocalBoxFuture<'static, Result<String, String>>>;

/// Lets a call travel with others. The future, if there is one, sends it and what comes meanwhile with
/// `send`, and must be driven to its end.
pub(super) fn join(
    project: &ProjectName,
    text: String,
    send: Send,
) -> (Ticket, Option<LocalBoxFuture<'static, ()>>) {
    let mut functions = None;
    let replied = Promise::new(&mut |resolve, reject| functions = Some((resolve, reject)));
    let ticket = Ticket(JsFuture::from(replied));
    // A promise calls its executor before it is there.
    let Some((resolve, reject)) = functions else { return (ticket, None) };
    let bytes = text.len();
    let waiting = Waiting { text, resolve, reject };
    let round = INTAKE.with_borrow_mut(|intake| intake.enter(project, waiting, bytes, clock::now()));
    (ticket, round.map(|round| carry(round, send).boxed_local()))
}

/// Calls the project until nothing waits for it, or another request has taken over.
async fn carry(round: Round, send: Send) {
    loop {
        let calls = INTAKE.with_borrow_mut(|intake| intake.next(&round, clock::now()));
        let text = match calls.as_slice() {
            [] => return,
            [only] => only.text.clone(),
            several => join_texts(several.iter().map(|call| call.text.as_str())),
        };
        let reply = send(text).await;
        INTAKE.with_borrow_mut(|intake| intake.returned(&round));
        match reply {
            Ok(reply) => answer(&calls, &reply),
            Err(error) => calls.iter().for_each(|call| call.tell(Err(&error))),
        }
    }
}

/// Gives each call its reply.
fn answer(calls: &[Waiting], reply: &str) {
    match (calls, split(reply)) {
        (several, Ok(replies)) if several.len() > 1 && several.len() == replies.len() => {
            several.iter().zip(replies).for_each(|(call, reply)| call.tell(Ok(reply)));
        }
        // A call that travelled alone has an answer alone; and what is said of all of them is said to each.
        (calls, _) => calls.iter().for_each(|call| call.tell(Ok(reply))),
    }
}

/// Whether a text is a list of calls: a call is an object.
pub(super) fn are_several(text: &str) -> bool {
    text.starts_with('[')
}

/// The texts of a list.
///
/// # Errors
/// It is not a JSON list.
pub(super) fn split(text: &str) -> serde_json::Result<Vec<&str>> {
    let items: Vec<&RawValue> = serde_json::from_str(text)?;
    Ok(items.into_iter().map(RawValue::get).collect())
}

/// A list of texts that are JSON.
pub(super) fn join_texts<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> String {
    let mut list = String::from("[");
    for text in texts {
        if list.len() > 1 {
            list.push(',');
        }
        list.push_str(text.as_ref());
    }
    list.push(']');
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_joined_is_split_again() {
        let texts = [r#"{"a":[1,"]"]}"#, r#"{"b":1e400}"#];
        let list = join_texts(texts);
        assert!(are_several(&list) && !are_several(texts[0]));
        assert_eq!(split(&list).unwrap(), texts);
        assert_eq!(split(&join_texts(Vec::<String>::new())).unwrap(), Vec::<&str>::new());
        assert!(split(r#"{"failed":"x"}"#).is_err());
    }
}
