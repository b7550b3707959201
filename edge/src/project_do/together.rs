//! Calls of one isolate that reach their project together ([`postern_engine::Intake`]), and how they travel:
//! as a JSON list, answered by a list in the same order. A call that finds nobody calling travels alone, as
//! it is.
//!
//! A request may not wait for another's promise, and must not look idle while it waits (docs/platform.md
//! 1.9): so each waits for a promise of its own, which whoever carries resolves, and beside a timer of its
//! own.

use std::cell::{Cell, RefCell};
use std::mem;
use std::rc::Rc;

use futures_util::FutureExt as _;
use futures_util::future::{self, LocalBoxFuture};
use js_sys::{Function, Promise};
use postern_core::webhook::ProjectName;
use postern_engine::{Intake, Load, Round};
use serde_json::value::RawValue;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use crate::clock;

/// How long a request waits for its reply.
const PATIENCE_MS: u32 = 60_000;

thread_local! {
    /// What this isolate has to ask.
    static INTAKE: RefCell<Intake<Waiting>> = const { RefCell::new(Intake::new(Load::PLATFORM)) };
}

/// What became of a call: the text of the reply, or why the project could not be reached.
type Told = Rc<Cell<Option<Result<String, String>>>>;

/// A call that waits to be sent, and what tells the request that it belongs to.
struct Waiting {
    text: String,
    told: Told,
    wake: Function,
}

impl Waiting {
    /// Tells the request. One that has gone is not told, which is no fault of the others.
    fn tell(&self, told: Result<String, String>) {
        self.told.set(Some(told));
        let _gone = self.wake.call0(&JsValue::UNDEFINED);
    }
}

/// The right to the reply of a call that travels with others.
pub(crate) struct Ticket {
    told: Told,
    woken: JsFuture,
}

impl Ticket {
    /// Waits for the text of the reply.
    ///
    /// # Errors
    /// Why the project could not be reached; it says nothing for [`PATIENCE_MS`].
    pub(super) async fn reply(self) -> Result<String, String> {
        future::select(self.woken, clock::sleep(PATIENCE_MS)).await;
        self.told.take().unwrap_or_else(|| Err(String::from("no reply in time")))
    }
}

/// Sends the text of a call to the project, or of several calls; gives the text of the reply.
type Send = Box<dyn Fn(String) -> LocalBoxFuture<'static, Result<String, String>>>;

#[wasm_bindgen]
extern "C" {
    /// A promise and what resolves it.
    type Resolvers;

    #[wasm_bindgen(method, getter, structural)]
    fn promise(this: &Resolvers) -> Promise;

    #[wasm_bindgen(method, getter, structural)]
    fn resolve(this: &Resolvers) -> Function;

    /// Not `Promise::new`: once V8 has optimised the code around it, such a promise forgets the request that
    /// made it, and whoever resolves it goes on with that request as its own, which the platform then refuses
    /// to both (docs/platform.md 1.9, trap 10).
    #[wasm_bindgen(js_namespace = Promise, js_name = withResolvers)]
    fn with_resolvers() -> Resolvers;
}

/// Lets a call travel with others. The future, if there is one, sends it and what comes meanwhile with
/// `send`, and must be driven to its end.
pub(super) fn join(
    project: &ProjectName,
    text: String,
    send: Send,
) -> (Ticket, Option<LocalBoxFuture<'static, ()>>) {
    let told = Told::default();
    let woken = with_resolvers();
    let ticket = Ticket { told: Rc::clone(&told), woken: JsFuture::from(woken.promise()) };
    let bytes = text.len();
    let waiting = Waiting { text, told, wake: woken.resolve() };
    let round = INTAKE.with_borrow_mut(|intake| intake.enter(project, waiting, bytes, clock::now()));
    (ticket, round.map(|round| carry(round, send).boxed_local()))
}

/// Calls the project until nothing waits for it, or another request has taken over.
async fn carry(round: Round, send: Send) {
    loop {
        let mut calls = INTAKE.with_borrow_mut(|intake| intake.next(&round, clock::now()));
        let text = match calls.as_mut_slice() {
            [] => return,
            // It is as long as an event, and is not needed again.
            [only] => mem::take(&mut only.text),
            several => join_texts(several.iter().map(|call| call.text.as_str())),
        };
        let reply = send(text).await;
        INTAKE.with_borrow_mut(|intake| intake.returned(&round));
        answer(&calls, reply);
    }
}

/// Gives each call its reply.
fn answer(calls: &[Waiting], reply: Result<String, String>) {
    if let ([_, _, ..], Ok(text)) = (calls, &reply)
        && let Ok(replies) = split(text)
        && replies.len() == calls.len()
    {
        calls.iter().zip(replies).for_each(|(call, reply)| call.tell(Ok(String::from(reply))));
        return;
    }
    match calls {
        [only] => only.tell(reply),
        // What is said of all of them is said to each.
        several => several.iter().for_each(|call| call.tell(reply.clone())),
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
