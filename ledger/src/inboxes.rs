//! Inboxes and the requests they recorded.
//!
//! A request is kept as the JSON of its view: it is written once, read as a whole and never searched.

use postern_core::api::audit::AuditAction;
use postern_core::api::inbox::{Answer, InboxRequestView, InboxView, REQUESTS_KEPT};
use postern_core::api::page::Page;
use postern_core::change::Changes;
use postern_core::id::{Kind, Seq};
use postern_core::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::error::{LedgerError, damaged};
use crate::project::Ledger;
use crate::row::inbox;
use crate::row::text::to_json;
use crate::sql::{Row, Sql, Value, atomically, first};

/// What [`Ledger::inbox_view`] reads.
const COLUMNS: &str =
    "seq, name, key, created_at_ms, answer, (SELECT count(*) FROM inbox_request WHERE inbox = inbox.seq)";
/// Bytes of the requests of one page at most, so that an answer stays small; a page that ends there holds
/// fewer items than its limit and says so in `searched_to`.
const PAGE_BYTES_MAX: i64 = 4_000_000;

/// Bytes of a recorded request at most: a row has 2 MB (docs/platform.md 2.3).
const REQUEST_BYTES_MAX: usize = 1_900_000;

/// What an update changes; `None` keeps.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InboxChange {
    /// The new name.
    pub name: Option<String>,
    /// The new answer.
    pub answer: Option<Answer>,
}

/// What the public address of an inbox leads to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InboxAddress {
    /// Its key in the database.
    pub seq: Seq,
    /// `ibx_…`
    pub id: String,
    /// What to answer.
    pub answer: Answer,
}

impl<S: Sql> Ledger<S> {
    fn inbox_view(&self, row: &Row, origin: &str) -> Result<InboxView, LedgerError> {
        Ok(InboxView {
            id: self.ids.id(Kind::Inbox, row.seq(0)?),
            name: String::from(row.text(1)?),
            url: format!("{origin}/in/{}.{}", self.project().as_str(), row.text(2)?),
            created_at: row.timestamp(3)?,
            answer: serde_json::from_str(row.text(4)?).map_err(damaged("an inbox's answer can't be read"))?,
            received: row.number(5)?,
        })
    }

    /// Creates an inbox with a public, random `key`. `origin` (`https://host`) makes its URL absolute.
    ///
    /// # Errors
    /// [`LedgerError::NameTaken`]; the database fails.
    pub fn create_inbox(
        &mut self,
        name: &str,
        key: &str,
        origin: &str,
        now: Timestamp,
    ) -> Result<InboxView, LedgerError> {
        self.expect_inbox_name(name, None)?;
        self.admit_inbox(now)?;
        let seq = self.reserve(now);
        atomically(&self.sql, |sql| {
            inbox::insert(sql, seq, name, key, now)?;
            self.audit(sql, AuditAction::InboxCreated, name, Changes::default(), now)
        })?;
        self.inbox_at_seq(seq, origin)
    }

    fn expect_inbox_name(&self, name: &str, but: Option<Seq>) -> Result<(), LedgerError> {
        let holder = first(self.sql.run("SELECT seq FROM inbox WHERE name = ?1", &[Value::from(name)])?);
        let holder = holder.map(|row| row.seq(0)).transpose()?;
        if holder.is_some() && holder != but { Err(LedgerError::NameTaken { what: "inbox" }) } else { Ok(()) }
    }

    fn inbox_at_seq(&self, seq: Seq, origin: &str) -> Result<InboxView, LedgerError> {
        let rows =
            self.sql.run(&format!("SELECT {COLUMNS} FROM inbox WHERE seq = ?1"), &[Value::from(seq)])?;
        self.inbox_view(&first(rows).ok_or(LedgerError::NotFound { what: "inbox" })?, origin)
    }

    /// An inbox.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`]; the database fails.
    pub fn inbox(&self, id: &str, origin: &str) -> Result<InboxView, LedgerError> {
        self.inbox_at_seq(self.seq_of(Kind::Inbox, id, "inbox")?, origin)
    }

    /// Inboxes, newest first.
    ///
    /// # Errors
    /// [`LedgerError::BadCursor`]; the database fails.
    pub fn list_inboxes(
        &self,
        limit: u32,
        cursor: Option<&str>,
        origin: &str,
    ) -> Result<Page<InboxView>, LedgerError> {
        let before = self.cursor_seq(cursor)?;
        let rows = self.sql.run(
            &format!("SELECT {COLUMNS} FROM inbox WHERE seq < ?1 ORDER BY seq DESC LIMIT ?2"),
            &[Value::from(before), Value::from(limit.saturating_add(1))],
        )?;
        let next = self.cursor_after(&rows, limit)?;
        let items = rows
            .iter()
            .take(limit as usize)
            .map(|row| self.inbox_view(row, origin))
            .collect::<Result<_, _>>()?;
        Ok(Page::new(items, next))
    }

    /// Changes an inbox.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`], [`LedgerError::NameTaken`]; the database fails.
    pub fn update_inbox(
        &mut self,
        id: &str,
        change: InboxChange,
        origin: &str,
        now: Timestamp,
    ) -> Result<InboxView, LedgerError> {
        let seq = self.seq_of(Kind::Inbox, id, "inbox")?;
        let current = self.inbox_at_seq(seq, origin)?;
        let name = change.name.unwrap_or_else(|| current.name.clone());
        self.expect_inbox_name(&name, Some(seq))?;
        let answer = change.answer.unwrap_or_else(|| current.answer.clone());
        let fields = |name: &str, answer: &Answer| {
            let answer = serde_json::to_value(answer).unwrap_or_default();
            [(String::from("name"), Json::from(name)), (String::from("answer"), answer)].into_iter().collect()
        };
        let changes = Changes::between(fields(&current.name, &current.answer), fields(&name, &answer));
        if changes.is_empty() {
            return Ok(current);
        }
        atomically(&self.sql, |sql| {
            inbox::update(sql, seq, &name, &answer)?;
            self.audit(sql, AuditAction::InboxUpdated, &name, changes, now)
        })?;
        self.inbox_at_seq(seq, origin)
    }

    /// Deletes an inbox with what it recorded.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`]; the database fails.
    pub fn delete_inbox(&mut self, id: &str, now: Timestamp) -> Result<(), LedgerError> {
        let name = self.inbox(id, "")?.name;
        let seq = self.expect_inbox(id)?;
        atomically(&self.sql, |sql| {
            inbox::delete(sql, seq)?;
            self.audit(sql, AuditAction::InboxDeleted, &name, Changes::default(), now)
        })
    }

    fn expect_inbox(&self, id: &str) -> Result<Seq, LedgerError> {
        let seq = self.seq_of(Kind::Inbox, id, "inbox")?;
        let found = self.sql.run("SELECT 1 FROM inbox WHERE seq = ?1", &[Value::from(seq)])?;
        if found.is_empty() { Err(LedgerError::NotFound { what: "inbox" }) } else { Ok(seq) }
    }

    /// The inbox at a public address; `None` if the address is unknown.
    ///
    /// # Errors
    /// The database fails.
    pub fn inbox_at(&self, key: &str) -> Result<Option<InboxAddress>, LedgerError> {
        let rows = self.sql.run("SELECT seq, answer FROM inbox WHERE key = ?1", &[Value::from(key)])?;
        let Some(row) = first(rows) else { return Ok(None) };
        let seq = row.seq(0)?;
        let answer =
            serde_json::from_str(row.text(1)?).map_err(damaged("an inbox's answer can't be read"))?;
        Ok(Some(InboxAddress { seq, id: self.ids.id(Kind::Inbox, seq), answer }))
    }

    /// Keeps a request that reached an inbox, as the newest of 200. Its `id` and `received_at` are set here.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`] where the inbox was deleted meanwhile; the database fails.
    pub fn record_request(
        &mut self,
        of_inbox: Seq,
        mut request: InboxRequestView,
        now: Timestamp,
    ) -> Result<InboxRequestView, LedgerError> {
        let seq = self.reserve(now);
        request.id = self.ids.id(Kind::Request, seq);
        request.received_at = now;
        let json = to_fitting_json(&mut request)?;
        atomically(&self.sql, |sql| inbox::insert_request(sql, seq, of_inbox, json, REQUESTS_KEPT, now))?;
        Ok(request)
    }

    /// What an inbox recorded, newest first.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`], [`LedgerError::BadCursor`]; the database fails.
    pub fn list_requests(
        &self,
        id: &str,
        limit: u32,
        cursor: Option<&str>,
    ) -> Result<Page<InboxRequestView>, LedgerError> {
        let inbox = self.expect_inbox(id)?;
        let before = self.cursor_seq(cursor)?;
        let sizes = self.sql.run(
            "SELECT seq, length(request) FROM inbox_request WHERE inbox = ?1 AND seq < ?2 ORDER BY seq DESC LIMIT ?3",
            &[Value::from(inbox), Value::from(before), Value::from(limit.saturating_add(1))],
        )?;
        let mut bytes = 0;
        let mut fitting = 0;
        for row in sizes.iter().take(limit as usize) {
            bytes += row.integer(1)?;
            if fitting > 0 && bytes > PAGE_BYTES_MAX {
                break;
            }
            fitting += 1;
        }
        let next = self.cursor_after(&sizes, fitting)?;
        let is_short = next.is_some() && fitting < limit;
        let rows = self.sql.run(
            "SELECT request FROM inbox_request WHERE inbox = ?1 AND seq < ?2 ORDER BY seq DESC LIMIT ?3",
            &[Value::from(inbox), Value::from(before), Value::from(fitting)],
        )?;
        let items = rows
            .iter()
            .map(|row| serde_json::from_str(row.text(0)?).map_err(damaged("a request can't be read")))
            .collect::<Result<Vec<InboxRequestView>, _>>()?;
        let searched_to = items.last().filter(|_last| is_short).map(|last| last.received_at);
        Ok(Page { items, next, searched_to })
    }

    /// Forgets what an inbox recorded.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`]; the database fails.
    pub fn clear_requests(&mut self, id: &str) -> Result<(), LedgerError> {
        inbox::clear(&self.sql, self.expect_inbox(id)?)
    }
}

/// The JSON of a request; its body is halved until the row's 2 MB hold it (control characters take six bytes
/// each).
fn to_fitting_json(request: &mut InboxRequestView) -> Result<String, LedgerError> {
    let mut json = to_json(request)?;
    while json.len() > REQUEST_BYTES_MAX && !request.body.is_empty() {
        // Base64 stays whole in steps of four.
        let half = request.body.len() / 8 * 4;
        let end = (0..=half).rev().find(|at| request.body.is_char_boundary(*at)).unwrap_or(0);
        request.body.truncate(end);
        request.truncated = true;
        json = to_json(request)?;
    }
    Ok(json)
}

#[cfg(test)]
mod tests {
    use postern_core::api::inbox::SignatureVerdict;

    use super::*;
    use crate::support::build::{START, ledger};

    const ORIGIN: &str = "https://host";

    fn request(body: &str) -> InboxRequestView {
        InboxRequestView {
            id: String::new(),
            method: String::from("POST"),
            path: String::from("/below?x=1"),
            headers: vec![(String::from("content-type"), String::from("text/plain"))],
            body: String::from(body),
            body_is_base64: false,
            body_text: None,
            body_bytes: u32::try_from(body.len()).unwrap(),
            truncated: false,
            received_at: Timestamp(0),
            signature: SignatureVerdict::Unsigned,
            answered: 200,
        }
    }

    #[test]
    fn an_inbox_is_found_by_its_public_key_until_it_is_deleted() {
        let mut ledger = ledger();
        let inbox = ledger.create_inbox("first", "abc", ORIGIN, START).unwrap();
        assert_eq!(inbox.url, "https://host/in/p1.abc");
        let address = ledger.inbox_at("abc").unwrap().unwrap();
        assert_eq!((address.id.as_str(), &address.answer), (inbox.id.as_str(), &Answer::default()));
        assert_eq!(ledger.inbox_at("other").unwrap(), None);
        assert_eq!(
            ledger.create_inbox("first", "def", ORIGIN, START),
            Err(LedgerError::NameTaken { what: "inbox" })
        );
        ledger.record_request(address.seq, request("a"), START).unwrap();
        ledger.delete_inbox(&inbox.id, START).unwrap();
        assert_eq!(ledger.inbox_at("abc").unwrap(), None);
        let late = ledger.record_request(address.seq, request("a"), START);
        assert_eq!(late, Err(LedgerError::NotFound { what: "inbox" }));
        assert_eq!(ledger.delete_inbox(&inbox.id, START), Err(LedgerError::NotFound { what: "inbox" }));
    }

    #[test]
    fn an_inbox_can_be_told_how_to_answer() {
        let mut ledger = ledger();
        let inbox = ledger.create_inbox("a", "k1", ORIGIN, START).unwrap();
        ledger.create_inbox("b", "k2", ORIGIN, START).unwrap();
        let answer = Answer { status: 503, delay_ms: 2_000, body: String::from("later") };
        let change = InboxChange { answer: Some(answer.clone()), ..InboxChange::default() };
        assert_eq!(ledger.update_inbox(&inbox.id, change, ORIGIN, START).unwrap().answer, answer);
        assert_eq!(ledger.inbox_at("k1").unwrap().unwrap().answer, answer);
        let rename = |name: &str| InboxChange { name: Some(String::from(name)), ..InboxChange::default() };
        assert_eq!(
            ledger.update_inbox(&inbox.id, rename("b"), ORIGIN, START),
            Err(LedgerError::NameTaken { what: "inbox" })
        );
        assert_eq!(ledger.update_inbox(&inbox.id, rename("a"), ORIGIN, START).unwrap().name, "a");
        let names: Vec<String> =
            ledger.list_inboxes(1, None, ORIGIN).unwrap().items.into_iter().map(|inbox| inbox.name).collect();
        assert_eq!(names, ["b"]);
    }

    #[test]
    fn the_latest_two_hundred_requests_stay_and_page_newest_first() {
        let mut ledger = ledger();
        let inbox = ledger.create_inbox("a", "k", ORIGIN, START).unwrap();
        let seq = ledger.inbox_at("k").unwrap().unwrap().seq;
        for number in 0..=REQUESTS_KEPT {
            ledger.record_request(seq, request(&number.to_string()), START).unwrap();
        }
        assert_eq!(ledger.inbox(&inbox.id, ORIGIN).unwrap().received, REQUESTS_KEPT);
        let (mut bodies, mut cursor) = (Vec::new(), None);
        loop {
            let page = ledger.list_requests(&inbox.id, 60, cursor.as_deref()).unwrap();
            bodies.extend(page.items.into_iter().map(|request| request.body));
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        let expected: Vec<String> = (1..=REQUESTS_KEPT).rev().map(|number| number.to_string()).collect();
        assert_eq!(bodies, expected);
        ledger.clear_requests(&inbox.id).unwrap();
        assert!(ledger.list_requests(&inbox.id, 60, None).unwrap().items.is_empty());
    }

    #[test]
    fn a_page_of_large_requests_is_cut_and_goes_on() {
        let mut ledger = ledger();
        let inbox = ledger.create_inbox("a", "k", ORIGIN, START).unwrap();
        let seq = ledger.inbox_at("k").unwrap().unwrap().seq;
        let large = "x".repeat(256 * 1024);
        for _request in 0..20 {
            ledger.record_request(seq, request(&large), START).unwrap();
        }
        let first = ledger.list_requests(&inbox.id, 200, None).unwrap();
        assert_eq!(first.items.len(), 15);
        let second = ledger.list_requests(&inbox.id, 200, first.next.as_deref()).unwrap();
        assert_eq!((second.items.len(), second.next), (5, None));
    }

    #[test]
    fn a_request_that_grows_in_json_is_cut_until_its_row_holds_it() {
        let mut ledger = ledger();
        let inbox = ledger.create_inbox("a", "k", ORIGIN, START).unwrap();
        let seq = ledger.inbox_at("k").unwrap().unwrap().seq;
        let mut large = request(&"\u{1}".repeat(256 * 1024));
        large.headers.push((String::from("x"), "\u{2}".repeat(100 * 1024)));
        let recorded = ledger.record_request(seq, large, START).unwrap();
        assert_eq!((recorded.body.len(), recorded.truncated), (128 * 1024, true));
        assert_eq!(ledger.list_requests(&inbox.id, 1, None).unwrap().items, [recorded]);
    }

    #[test]
    fn a_recorded_request_reads_back_with_its_id_and_time() {
        let mut ledger = ledger();
        let inbox = ledger.create_inbox("a", "k", ORIGIN, START).unwrap();
        let seq = ledger.inbox_at("k").unwrap().unwrap().seq;
        let recorded = ledger.record_request(seq, request("text"), START).unwrap();
        assert!(recorded.id.starts_with("req_"));
        assert_eq!(recorded.received_at, START);
        assert_eq!(ledger.list_requests(&inbox.id, 1, None).unwrap().items, [recorded]);
    }
}
