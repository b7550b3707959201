//! Tokens: which hashes open this project, and with which role.

use std::fmt;

use postern_core::api::token::TokenView;
use postern_core::id::{Kind, Seq};
use postern_core::time::Timestamp;
use postern_core::token::Role;
use subtle::{Choice, ConstantTimeEq};

use crate::error::LedgerError;
use crate::project::Ledger;
use crate::sql::{Row, Sql, Value};

/// Tokens of a project at most: each request compares with all of them.
const TOKENS_MAX: usize = 500;

/// The tokens in memory, so that checking one costs no query.
#[derive(Default)]
pub(crate) struct TokenBook {
    entries: Vec<(Seq, String, Role)>,
}

impl fmt::Debug for TokenBook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenBook").field("entries", &self.entries.len()).finish()
    }
}

impl<S: Sql> Ledger<S> {
    pub(crate) fn load_tokens(&mut self) -> Result<(), LedgerError> {
        let rows = self.sql.run("SELECT seq, hash, role FROM token ORDER BY seq", &[])?;
        self.tokens.entries = rows
            .iter()
            .map(|row| Ok((row.seq(0)?, String::from(row.text(1)?), role_of(row.text(2)?)?)))
            .collect::<Result<_, LedgerError>>()?;
        Ok(())
    }

    /// Stores a token by the hash of its secret (`postern_core::token::hash`).
    ///
    /// # Errors
    /// [`LedgerError::StateConflict`] at 500 tokens; the database fails.
    pub fn create_token(&mut self, hash: &str, name: &str, role: Role, now: Timestamp) -> Result<TokenView, LedgerError> {
        if self.tokens.entries.len() >= TOKENS_MAX {
            return Err(LedgerError::StateConflict { why: "a project has at most 500 tokens: delete one first" });
        }
        let seq = self.reserve(now);
        self.sql.run(
            "INSERT INTO token (seq, hash, name, role, created_at_ms) VALUES (?1, ?2, ?3, ?4, ?5)",
            &[Value::from(seq), Value::from(hash), Value::from(name), Value::from(role.as_str()), Value::from(now)],
        )?;
        self.tokens.entries.push((seq, String::from(hash), role));
        Ok(TokenView { id: self.ids.id(Kind::Token, seq), name: String::from(name), role, created_at: now })
    }

    /// The role of the token with this hash; `None` where it opens nothing here. Takes the same time for every wrong
    /// hash.
    #[must_use]
    pub fn verify_token(&self, hash: &str) -> Option<Role> {
        let mut found = None;
        for (_seq, known, role) in &self.tokens.entries {
            let same: Choice = known.as_bytes().ct_eq(hash.as_bytes());
            if bool::from(same) {
                found = Some(*role);
            }
        }
        found
    }

    /// All tokens, newest first.
    ///
    /// # Errors
    /// The database fails.
    pub fn list_tokens(&self) -> Result<Vec<TokenView>, LedgerError> {
        let rows = self.sql.run("SELECT seq, name, role, created_at_ms FROM token ORDER BY seq DESC", &[])?;
        rows.iter().map(|row| self.token_view(row)).collect()
    }

    fn token_view(&self, row: &Row) -> Result<TokenView, LedgerError> {
        Ok(TokenView {
            id: self.ids.id(Kind::Token, row.seq(0)?),
            name: String::from(row.text(1)?),
            role: role_of(row.text(2)?)?,
            created_at: row.timestamp(3)?,
        })
    }

    /// Deletes a token; it opens nothing from now on.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`]; the database fails.
    pub fn delete_token(&mut self, id: &str) -> Result<(), LedgerError> {
        let seq = self.seq_of(Kind::Token, id, "token")?;
        if !self.tokens.entries.iter().any(|(known, _hash, _role)| *known == seq) {
            return Err(LedgerError::NotFound { what: "token" });
        }
        self.sql.run("DELETE FROM token WHERE seq = ?1", &[Value::from(seq)])?;
        self.tokens.entries.retain(|(known, _hash, _role)| *known != seq);
        Ok(())
    }
}

fn role_of(text: &str) -> Result<Role, LedgerError> {
    Role::parse(text).ok_or(LedgerError::Corrupt { what: "a token's role is none" })
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;
    use crate::support::build::{START, ledger};

    #[test]
    fn a_token_opens_the_project_until_it_is_deleted() {
        let mut ledger = ledger();
        let token = ledger.create_token("hash-1", "ci", Role::Publish, START).unwrap();
        ledger.create_token("hash-2", "me", Role::Manage, START).unwrap();
        assert_eq!(ledger.verify_token("hash-1"), Some(Role::Publish));
        assert_eq!(ledger.verify_token("hash-3"), None);
        assert_eq!(ledger.verify_token(""), None);
        let names: Vec<String> = ledger.list_tokens().unwrap().into_iter().map(|token| token.name).collect();
        assert_eq!(names, ["me", "ci"]);
        let mut reopened = Ledger::open(Rc::clone(&ledger.sql)).unwrap().unwrap();
        assert_eq!(reopened.verify_token("hash-1"), Some(Role::Publish));
        reopened.delete_token(&token.id).unwrap();
        assert_eq!(reopened.verify_token("hash-1"), None);
        assert_eq!(reopened.delete_token(&token.id), Err(LedgerError::NotFound { what: "token" }));
        assert_eq!(reopened.delete_token("tok_nonsense"), Err(LedgerError::NotFound { what: "token" }));
    }

    #[test]
    fn tokens_are_limited_because_each_request_compares_with_all() {
        let mut ledger = ledger();
        for number in 0..TOKENS_MAX {
            ledger.create_token(&number.to_string(), "t", Role::Read, START).unwrap();
        }
        assert!(matches!(ledger.create_token("more", "t", Role::Read, START), Err(LedgerError::StateConflict { .. })));
    }
}
