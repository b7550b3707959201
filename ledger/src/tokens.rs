//! Tokens: which hashes open this project, and with which role.

use postern_core::api::audit::{Actor, ActorKind, AuditAction};
use postern_core::api::page::Page;
use postern_core::api::token::TokenView;
use postern_core::change::Changes;
use postern_core::id::{Kind, Seq};
use postern_core::time::Timestamp;
use postern_core::token::{Role, TokenDraft};
use serde_json::json;
use subtle::{Choice, ConstantTimeEq};

use crate::error::LedgerError;
use crate::memory::tokens::Entry;
use crate::project::Ledger;
use crate::row::token::{self, NewToken};
use crate::sql::{Row, Sql, Value, atomically};

/// Tokens of a project at most: each request compares with all of them.
const TOKENS_MAX: usize = 500;
/// Milliseconds between two notes that a token was used: publishing must stay cheap.
const USE_NOTED_EVERY_MS: i64 = 60_000;
/// Columns of [`Ledger::token_view`].
const COLUMNS: &str = "seq, name, role, created_at_ms, expires_at_ms, last_used_at_ms";

/// A token that opens the project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Its row.
    pub(crate) seq: Seq,
    /// What it may do.
    pub role: Role,
    /// Who it is, for the audit log.
    pub actor: Actor,
    /// From then on it opens nothing.
    pub expires_at: Option<Timestamp>,
}

impl<S: Sql> Ledger<S> {
    pub(crate) fn load_tokens(&mut self) -> Result<(), LedgerError> {
        let rows = self.sql.run(&format!("SELECT {COLUMNS}, hash FROM token ORDER BY seq"), &[])?;
        let entry = |row: &Row| {
            Ok(Entry {
                seq: row.seq(0)?,
                name: String::from(row.text(1)?),
                role: role_of(row.text(2)?)?,
                expires_at: row.timestamp_or_none(4)?,
                last_used_at: row.timestamp_or_none(5)?,
                hash: String::from(row.text(6)?),
            })
        };
        self.tokens.entries = rows.iter().map(entry).collect::<Result<_, LedgerError>>()?;
        Ok(())
    }

    /// Stores a token by the hash of its secret (`postern_core::token::hash`).
    ///
    /// # Errors
    /// [`LedgerError::StateConflict`] at 500 tokens; the database fails.
    pub fn create_token(
        &mut self,
        hash: &str,
        draft: TokenDraft,
        now: Timestamp,
    ) -> Result<TokenView, LedgerError> {
        if self.tokens.entries.len() >= TOKENS_MAX {
            return Err(LedgerError::StateConflict {
                why: "a project has at most 500 tokens: delete one first",
            });
        }
        let seq = self.reserve(now);
        let TokenDraft { name, role, expires_at } = draft;
        let mut changes = Changes::one("role", json!(null), json!(role.as_str()));
        if let Some(expires_at) = expires_at {
            changes.0.extend(Changes::one("expires_at", json!(null), json!(expires_at)).0);
        }
        atomically(&self.sql, |sql| {
            token::insert(sql, &NewToken { seq, hash, name: &name, role, expires_at }, now)?;
            self.audit(sql, AuditAction::TokenCreated, &name, changes, now)
        })?;
        self.tokens.entries.push(Entry {
            seq,
            hash: String::from(hash),
            name: name.clone(),
            role,
            expires_at,
            last_used_at: None,
        });
        Ok(TokenView {
            id: self.ids.id(Kind::Token, seq),
            name,
            role,
            created_at: now,
            expires_at,
            last_used_at: None,
        })
    }

    /// The token with this hash; `None` where it opens nothing here, or no longer. Takes the same time for
    /// every wrong hash.
    #[must_use]
    pub fn verify_token(&self, hash: &str, now: Timestamp) -> Option<Verified> {
        let mut found = None;
        for entry in &self.tokens.entries {
            let same: Choice = entry.hash.as_bytes().ct_eq(hash.as_bytes());
            if bool::from(same) && entry.expires_at.is_none_or(|expires_at| now < expires_at) {
                found = Some(entry);
            }
        }
        let found = found?;
        let actor = Actor {
            kind: ActorKind::Token,
            id: Some(self.ids.id(Kind::Token, found.seq)),
            name: found.name.clone(),
        };
        Some(Verified { seq: found.seq, role: found.role, actor, expires_at: found.expires_at })
    }

    /// Whether the token `id` still opens something: for connections that were opened with it.
    #[must_use]
    pub fn holds_token(&self, id: &str, now: Timestamp) -> bool {
        let seq = self.ids.seq(Kind::Token, id);
        let mut entries = self.tokens.entries.iter();
        entries
            .any(|entry| Some(entry.seq) == seq && entry.expires_at.is_none_or(|expires_at| now < expires_at))
    }

    /// Notes that a token was used, at most once a minute: one written row.
    ///
    /// # Errors
    /// The database fails.
    pub fn note_use(&mut self, token: &Verified, now: Timestamp) -> Result<(), LedgerError> {
        let Some(entry) = self.tokens.entries.iter_mut().find(|entry| entry.seq == token.seq) else {
            return Ok(());
        };
        if entry.last_used_at.is_some_and(|noted| now.ms_since(noted) < USE_NOTED_EVERY_MS) {
            return Ok(());
        }
        token::set_last_used(&self.sql, entry.seq, now)?;
        entry.last_used_at = Some(now);
        Ok(())
    }

    /// Tokens, newest first, from the cursor on.
    ///
    /// # Errors
    /// [`LedgerError::BadCursor`]; the database fails.
    pub fn list_tokens(&self, limit: u32, cursor: Option<&str>) -> Result<Page<TokenView>, LedgerError> {
        let rows = self.sql.run(
            &format!("SELECT {COLUMNS} FROM token WHERE seq < ?1 ORDER BY seq DESC LIMIT ?2"),
            &[Value::from(self.cursor_seq(cursor)?), Value::from(limit.saturating_add(1))],
        )?;
        let next = self.cursor_after(&rows, limit)?;
        let items =
            rows.iter().take(limit as usize).map(|row| self.token_view(row)).collect::<Result<_, _>>()?;
        Ok(Page::new(items, next))
    }

    fn token_view(&self, row: &Row) -> Result<TokenView, LedgerError> {
        Ok(TokenView {
            id: self.ids.id(Kind::Token, row.seq(0)?),
            name: String::from(row.text(1)?),
            role: role_of(row.text(2)?)?,
            created_at: row.timestamp(3)?,
            expires_at: row.timestamp_or_none(4)?,
            last_used_at: row.timestamp_or_none(5)?,
        })
    }

    /// Deletes a token; it opens nothing from now on.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`]; the database fails.
    pub fn delete_token(&mut self, id: &str, now: Timestamp) -> Result<(), LedgerError> {
        let seq = self.seq_of(Kind::Token, id, "token")?;
        let entry = self
            .tokens
            .entries
            .iter()
            .find(|entry| entry.seq == seq)
            .ok_or(LedgerError::NotFound { what: "token" })?;
        let changes = Changes::one("role", json!(entry.role.as_str()), json!(null));
        atomically(&self.sql, |sql| {
            token::delete(sql, seq)?;
            self.audit(sql, AuditAction::TokenDeleted, &entry.name, changes, now)
        })?;
        self.tokens.entries.retain(|entry| entry.seq != seq);
        Ok(())
    }
}

fn role_of(text: &str) -> Result<Role, LedgerError> {
    Role::parse(text).ok_or(LedgerError::Corrupt { what: "a token's role is unknown" })
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use postern_core::api::page::LIMIT_NONE;

    use super::*;
    use crate::support::build::{START, ledger};

    fn draft(name: &str, role: Role) -> TokenDraft {
        TokenDraft { name: String::from(name), role, expires_at: None }
    }

    fn role(ledger: &Ledger<Rc<crate::support::native::Native>>, hash: &str, now: Timestamp) -> Option<Role> {
        ledger.verify_token(hash, now).map(|token| token.role)
    }

    fn tokens(ledger: &Ledger<Rc<crate::support::native::Native>>) -> Vec<TokenView> {
        ledger.list_tokens(LIMIT_NONE, None).unwrap().items
    }

    #[test]
    fn tokens_are_listed_whole_or_page_by_page_each_once() {
        let mut ledger = ledger();
        for number in 0..5 {
            ledger
                .create_token(&format!("hash-{number}"), draft(&number.to_string(), Role::Read), START)
                .unwrap();
        }
        let whole = ledger.list_tokens(LIMIT_NONE, None).unwrap();
        assert_eq!((whole.items.len(), &whole.next), (5, &None));
        let (mut found, mut cursor, mut sizes) = (Vec::new(), None, Vec::new());
        loop {
            let page = ledger.list_tokens(2, cursor.as_deref()).unwrap();
            sizes.push(page.items.len());
            found.extend(page.items);
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!((found, sizes), (whole.items, vec![2, 2, 1]));
        assert_eq!(ledger.list_tokens(2, Some("nonsense")), Err(LedgerError::BadCursor));
    }

    #[test]
    fn a_token_opens_the_project_until_it_is_deleted() {
        let mut ledger = ledger();
        let token = ledger.create_token("hash-1", draft("ci", Role::Publish), START).unwrap();
        ledger.create_token("hash-2", draft("me", Role::Manage), START).unwrap();
        assert_eq!(role(&ledger, "hash-1", START), Some(Role::Publish));
        assert_eq!(role(&ledger, "hash-3", START), None);
        assert_eq!(role(&ledger, "", START), None);
        let names: Vec<String> = tokens(&ledger).into_iter().map(|token| token.name).collect();
        assert_eq!(names, ["me", "ci"]);
        let mut reopened = Ledger::open(Rc::clone(&ledger.sql)).unwrap().unwrap();
        assert_eq!(role(&reopened, "hash-1", START), Some(Role::Publish));
        reopened.delete_token(&token.id, START).unwrap();
        assert_eq!(role(&reopened, "hash-1", START), None);
        assert_eq!(reopened.delete_token(&token.id, START), Err(LedgerError::NotFound { what: "token" }));
        assert_eq!(
            reopened.delete_token("tok_nonsense", START),
            Err(LedgerError::NotFound { what: "token" })
        );
    }

    #[test]
    fn a_token_that_has_expired_opens_nothing() {
        let mut made = ledger();
        let expires_at = START.plus_ms(1_000);
        let token = TokenDraft { expires_at: Some(expires_at), ..draft("short", Role::Read) };
        assert_eq!(made.create_token("hash", token, START).unwrap().expires_at, Some(expires_at));
        let reopened = Ledger::open(Rc::clone(&made.sql)).unwrap().unwrap();
        for ledger in [&made, &reopened] {
            assert_eq!(role(ledger, "hash", expires_at.plus_ms(-1)), Some(Role::Read));
            assert_eq!(role(ledger, "hash", expires_at), None);
            assert_eq!(tokens(ledger)[0].expires_at, Some(expires_at), "it stays in the list");
        }
    }

    #[test]
    fn the_use_of_a_token_costs_at_most_one_row_a_minute() {
        let mut made = ledger();
        made.create_token("hash", draft("ci", Role::Publish), START).unwrap();
        let native = Rc::clone(&made.sql);
        let used = |ledger: &mut Ledger<_>, at: Timestamp| {
            let token = ledger.verify_token("hash", at).unwrap();
            native.count_rows_written(|| ledger.note_use(&token, at).unwrap())
        };
        assert_eq!(used(&mut made, START), 1);
        for second in 1..60 {
            assert_eq!(used(&mut made, START.plus_ms(second * 1_000)), 0);
        }
        assert_eq!(tokens(&made)[0].last_used_at, Some(START));
        let mut reopened = Ledger::open(Rc::clone(&made.sql)).unwrap().unwrap();
        assert_eq!(used(&mut reopened, START.plus_ms(59_999)), 0, "a restart does not forget");
        assert_eq!(used(&mut reopened, START.plus_ms(60_000)), 1);
    }

    #[test]
    fn tokens_are_limited_because_each_request_compares_with_all() {
        let mut ledger = ledger();
        for number in 0..TOKENS_MAX {
            ledger.create_token(&number.to_string(), draft("t", Role::Read), START).unwrap();
        }
        assert!(matches!(
            ledger.create_token("more", draft("t", Role::Read), START),
            Err(LedgerError::StateConflict { .. })
        ));
    }
}
