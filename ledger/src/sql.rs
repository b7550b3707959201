//! The small trait that stands between the ledger and SQLite.
//!
//! It has two real back ends: the Durable Object's `SqlStorage` (in `edge`) and rusqlite (in tests and the
//! simulation). Statements stay within what a Durable Object takes (docs/platform.md 2.3): at most 100 bound
//! parameters, `LIKE` patterns of at most 50 bytes (none is used), rows below 2 MB, integers below 2^53. Sets
//! of keys are passed as one JSON array and opened with `json_each`, so that their size needs no statement of
//! its own.

use std::rc::Rc;

use crate::error::LedgerError;

/// A value in a parameter or a column.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `NULL`
    Null,
    /// An integer; its magnitude stays below 2^53.
    Integer(i64),
    /// A float. JavaScript has one kind of number, so a Durable Object's back end may hand out integers so.
    Real(f64),
    /// Text.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<u32> for Value {
    fn from(value: u32) -> Self {
        Self::Integer(i64::from(value))
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Integer(i64::from(value))
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(String::from(value))
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<postern_core::id::Seq> for Value {
    fn from(value: postern_core::id::Seq) -> Self {
        Self::Integer(value.0)
    }
}

impl From<postern_core::time::Timestamp> for Value {
    fn from(value: postern_core::time::Timestamp) -> Self {
        Self::Integer(value.0)
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// What SQLite or the platform said when a statement failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("SQL failed: {message}")]
pub struct SqlError {
    /// The back end's words.
    pub message: String,
}

impl SqlError {
    /// An error in the back end's words.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into() }
    }
}

/// One row of a result: values in the order of the statement's columns.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    values: Vec<Value>,
}

impl Row {
    /// A row of these values.
    #[must_use]
    pub const fn new(values: Vec<Value>) -> Self {
        Self { values }
    }

    /// The integer in column `at` (from 0); a float that is a whole number counts.
    ///
    /// # Errors
    /// The column is missing or holds anything else.
    pub fn integer(&self, at: usize) -> Result<i64, LedgerError> {
        self.integer_or_none(at)?.ok_or(LedgerError::Corrupt { what: "a number is missing" })
    }

    /// As [`Row::integer`], with `NULL` as `None`.
    ///
    /// # Errors
    /// The column is missing or holds anything else.
    pub fn integer_or_none(&self, at: usize) -> Result<Option<i64>, LedgerError> {
        match self.values.get(at) {
            Some(Value::Null) => Ok(None),
            Some(Value::Integer(value)) => Ok(Some(*value)),
            #[expect(clippy::cast_possible_truncation, reason = "checked to be whole and below 2^53")]
            Some(Value::Real(value)) if value.fract() == 0.0 && value.abs() < 9_007_199_254_740_992.0 => {
                Ok(Some(*value as i64))
            }
            _ => Err(LedgerError::Corrupt { what: "a column is not a number" }),
        }
    }

    /// The number in column `at`, where it fits 32 bits.
    ///
    /// # Errors
    /// The column is missing or holds anything else.
    pub fn number(&self, at: usize) -> Result<u32, LedgerError> {
        u32::try_from(self.integer(at)?)
            .map_err(|_too_big| LedgerError::Corrupt { what: "a number is out of range" })
    }

    /// As [`Row::number`], with `NULL` as `None`.
    ///
    /// # Errors
    /// The column is missing or holds anything else.
    pub fn number_or_none(&self, at: usize) -> Result<Option<u32>, LedgerError> {
        self.integer_or_none(at)?
            .map(|value| {
                u32::try_from(value)
                    .map_err(|_too_big| LedgerError::Corrupt { what: "a number is out of range" })
            })
            .transpose()
    }

    /// Whether column `at` is not 0.
    ///
    /// # Errors
    /// The column is missing or no number.
    pub fn flag(&self, at: usize) -> Result<bool, LedgerError> {
        Ok(self.integer(at)? != 0)
    }

    /// The text in column `at`.
    ///
    /// # Errors
    /// The column is missing or holds anything else.
    pub fn text(&self, at: usize) -> Result<&str, LedgerError> {
        self.text_or_none(at)?.ok_or(LedgerError::Corrupt { what: "a text is missing" })
    }

    /// As [`Row::text`], with `NULL` as `None`.
    ///
    /// # Errors
    /// The column is missing or holds anything else.
    pub fn text_or_none(&self, at: usize) -> Result<Option<&str>, LedgerError> {
        match self.values.get(at) {
            Some(Value::Null) => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text)),
            _ => Err(LedgerError::Corrupt { what: "a column is not text" }),
        }
    }

    /// The row key in column `at`.
    ///
    /// # Errors
    /// The column is missing or no number.
    pub fn seq(&self, at: usize) -> Result<postern_core::id::Seq, LedgerError> {
        Ok(postern_core::id::Seq(self.integer(at)?))
    }

    /// The instant (Unix milliseconds) in column `at`.
    ///
    /// # Errors
    /// The column is missing or no number.
    pub fn timestamp(&self, at: usize) -> Result<postern_core::time::Timestamp, LedgerError> {
        Ok(postern_core::time::Timestamp(self.integer(at)?))
    }

    /// As [`Row::timestamp`], with `NULL` as `None`.
    ///
    /// # Errors
    /// The column is missing or no number.
    pub fn timestamp_or_none(&self, at: usize) -> Result<Option<postern_core::time::Timestamp>, LedgerError> {
        Ok(self.integer_or_none(at)?.map(postern_core::time::Timestamp))
    }
}

/// A SQLite database that one ledger owns.
pub trait Sql {
    /// Runs one statement (never several) and gives all its rows.
    ///
    /// # Errors
    /// What the back end said. The statement had no effect then.
    fn run(&self, statement: &str, parameters: &[Value]) -> Result<Vec<Row>, SqlError>;

    /// Calls `work` exactly once; commits what it wrote if it gives `Ok`, undoes all of it if it gives `Err`.
    /// Transactions are not nested.
    ///
    /// # Errors
    /// The error of `work`, or [`LedgerError::Sql`] where the commit failed (nothing is written then either).
    fn transaction(&self, work: &mut dyn FnMut() -> Result<(), LedgerError>) -> Result<(), LedgerError>;

    /// Bytes that the database takes, without pages that are free.
    ///
    /// # Errors
    /// What the back end said.
    fn database_size(&self) -> Result<u64, SqlError>;
}

impl<S: Sql + ?Sized> Sql for Rc<S> {
    fn run(&self, statement: &str, parameters: &[Value]) -> Result<Vec<Row>, SqlError> {
        (**self).run(statement, parameters)
    }

    fn transaction(&self, work: &mut dyn FnMut() -> Result<(), LedgerError>) -> Result<(), LedgerError> {
        (**self).transaction(work)
    }

    fn database_size(&self) -> Result<u64, SqlError> {
        (**self).database_size()
    }
}

/// Runs `work` in a transaction of `sql` and gives what it gave.
pub(crate) fn atomically<S: Sql, T>(
    sql: &S,
    work: impl FnOnce(&S) -> Result<T, LedgerError>,
) -> Result<T, LedgerError> {
    let mut work = Some(work);
    let mut given = None;
    sql.transaction(&mut || {
        let Some(work) = work.take() else {
            return Err(LedgerError::Corrupt { what: "a transaction ran its work twice" });
        };
        given = Some(work(sql)?);
        Ok(())
    })?;
    given.ok_or(LedgerError::Corrupt { what: "a transaction did not run its work" })
}

/// The JSON array of `keys`, to be opened with `json_each`.
pub(crate) fn key_set(keys: impl IntoIterator<Item = postern_core::id::Seq>) -> String {
    let mut text = String::from("[");
    for key in keys {
        if text.len() > 1 {
            text.push(',');
        }
        text.push_str(&key.0.to_string());
    }
    text.push(']');
    text
}

/// The first row, where there is one.
pub(crate) fn first(rows: Vec<Row>) -> Option<Row> {
    rows.into_iter().next()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::native::Native;

    #[test]
    fn a_whole_float_reads_as_an_integer_and_nothing_else_does() {
        let row =
            Row::new(vec![Value::Real(7.0), Value::Real(7.5), Value::Text(String::from("7")), Value::Null]);
        assert_eq!(row.integer(0), Ok(7));
        assert!(
            row.integer(1).is_err()
                && row.integer(2).is_err()
                && row.integer(3).is_err()
                && row.integer(4).is_err()
        );
        assert_eq!(row.integer_or_none(3), Ok(None));
        assert!(row.text(0).is_err());
        assert_eq!(
            Row::new(vec![Value::Integer(-1)]).number(0),
            Err(LedgerError::Corrupt { what: "a number is out of range" })
        );
    }

    #[test]
    fn a_transaction_that_fails_leaves_nothing_and_gives_its_error() {
        let sql = Native::new();
        sql.run("CREATE TABLE t (n INTEGER)", &[]).unwrap();
        let failure: Result<(), _> = atomically(&sql, |sql| {
            sql.run("INSERT INTO t VALUES (1)", &[])?;
            Err(LedgerError::NotFound { what: "reason" })
        });
        assert_eq!(failure, Err(LedgerError::NotFound { what: "reason" }));
        assert!(sql.run("SELECT n FROM t", &[]).unwrap().is_empty());
        assert_eq!(atomically(&sql, |sql| Ok(sql.run("INSERT INTO t VALUES (2)", &[])?.len())), Ok(0));
        assert_eq!(sql.run("SELECT n FROM t", &[]).unwrap().len(), 1);
    }

    #[test]
    fn a_key_set_is_a_json_array() {
        assert_eq!(key_set([]), "[]");
        assert_eq!(key_set([postern_core::id::Seq(1), postern_core::id::Seq(23)]), "[1,23]");
    }
}
