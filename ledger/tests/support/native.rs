//! SQLite through rusqlite, with the limits and habits of a Durable Object's storage (docs/platform.md 1.3,
//! 2.3).

use std::cell::Cell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::{Arc, Mutex};

use postern_ledger::{LedgerError, Row, Sql, SqlError, Value};
use rusqlite::config::DbConfig;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ToSql, params_from_iter};

/// Bound parameters of a statement at most.
const PARAMETERS_MAX: usize = 100;
/// Bytes of a statement at most.
const STATEMENT_BYTES_MAX: usize = 100_000;
/// Bytes of a text at most.
const TEXT_BYTES_MAX: usize = 2_000_000;
/// Integers beyond this lose precision as JavaScript numbers.
const INTEGER_MAX: i64 = (1 << 53) - 1;

/// An in-memory database that outlives the ledgers opened on it, as a Durable Object's storage outlives its
/// memory.
#[derive(Debug)]
pub(crate) struct Native {
    connection: Connection,
    in_transaction: Cell<bool>,
    touched: Arc<Mutex<Touched>>,
    /// Rows written so far, where somebody counts them.
    rows_written: Cell<Option<u64>>,
}

/// What was written, as far as SQLite's hook tells (tables without row keys are not seen).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Touched {
    /// Keys of deliveries.
    pub(crate) deliveries: BTreeSet<i64>,
    /// Tables.
    pub(crate) tables: BTreeSet<String>,
}

impl Native {
    /// An empty database.
    pub(crate) fn new() -> Rc<Self> {
        let mut connection = Connection::open_in_memory().expect("SQLite opens in memory");
        connection.set_prepared_statement_cache_capacity(512);
        // Plans do not depend on the values that are bound: else SQLite prepares some statements anew for
        // each.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).expect("a plan can be kept");
        let touched = Arc::new(Mutex::new(Touched::default()));
        let noted = Arc::clone(&touched);
        connection
            .update_hook(Some(move |_action, _database: &str, table: &str, key: i64| {
                let mut noted = noted.lock().expect("one thread");
                if table == "delivery" {
                    noted.deliveries.insert(key);
                }
                if !noted.tables.contains(table) {
                    noted.tables.insert(String::from(table));
                }
            }))
            .expect("the hook is taken");
        Rc::new(Self { connection, in_transaction: Cell::new(false), touched, rows_written: Cell::new(None) })
    }

    /// Deletes every row of every table. The schema stays.
    pub(crate) fn wipe(&self) -> Result<(), SqlError> {
        for table in self.execute("SELECT name FROM sqlite_master WHERE type = 'table'", &[])? {
            self.execute(&format!("DELETE FROM {}", table.text(0).expect("a table has a name")), &[])?;
        }
        self.take_touched();
        Ok(())
    }

    /// Rows that were ever inserted, updated or deleted.
    pub(crate) fn changes(&self) -> u64 {
        self.connection.total_changes()
    }

    /// Counts the rows that `work` writes as a Durable Object charges for them: each row of a table, and each
    /// entry of an index that comes or goes (docs/platform.md 2.6). Slow: every index is read before and
    /// after every statement.
    pub(crate) fn count_rows_written(&self, work: impl FnOnce()) -> u64 {
        self.rows_written.set(Some(0));
        work();
        self.rows_written.take().unwrap_or_default()
    }

    /// Every entry of every index.
    fn index_entries(&self) -> Result<BTreeSet<String>, SqlError> {
        let mut entries = BTreeSet::new();
        for row in
            self.execute("SELECT sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL", &[])?
        {
            let sql = row.text(0).expect("an index has a statement");
            let (name, rest) = sql.split_once(" ON ").expect("an index is on a table");
            let (table, rest) = rest.split_once(" (").expect("an index has columns");
            let (columns, rest) = rest.split_once(')').expect("columns end");
            // A table without row keys has its primary key among its columns.
            let keyed = self.execute(&format!("SELECT rowid, {columns} FROM {table} {rest}"), &[]);
            for entry in
                keyed.or_else(|_no_row_keys| self.execute(&format!("SELECT * FROM {table} {rest}"), &[]))?
            {
                entries.insert(format!("{name}: {entry:?}"));
            }
        }
        Ok(entries)
    }

    fn execute(&self, statement: &str, parameters: &[Value]) -> Result<Vec<Row>, SqlError> {
        let mut prepared = self.connection.prepare_cached(statement).map_err(|error| failed(&error))?;
        let columns = prepared.column_count();
        let mut rows =
            prepared.query(params_from_iter(parameters.iter().map(Bound))).map_err(|error| failed(&error))?;
        let mut read = Vec::new();
        while let Some(row) = rows.next().map_err(|error| failed(&error))? {
            let values = (0..columns)
                .map(|at| column(row.get_ref(at).map_err(|error| failed(&error))?))
                .collect::<Result<_, _>>()?;
            read.push(Row::new(values));
        }
        Ok(read)
    }

    /// What was written since the last call (or what a transaction that was undone tried to write).
    pub(crate) fn take_touched(&self) -> Touched {
        std::mem::take(&mut *self.touched.lock().expect("one thread"))
    }
}

/// A parameter as a Durable Object binds it: every number is a float there.
struct Bound<'a>(&'a Value);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self.0 {
            Value::Null => ToSqlOutput::Borrowed(ValueRef::Null),
            #[expect(clippy::cast_precision_loss, reason = "below 2^53, which `run` checked")]
            Value::Integer(value) => ToSqlOutput::Borrowed(ValueRef::Real(*value as f64)),
            Value::Real(value) => ToSqlOutput::Borrowed(ValueRef::Real(*value)),
            Value::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Value::Blob(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
        })
    }
}

/// A column as a Durable Object gives it: every number is a float there, too.
fn column(value: ValueRef<'_>) -> Result<Value, SqlError> {
    Ok(match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(value) if value.abs() > INTEGER_MAX => {
            return Err(SqlError::new("an integer beyond 2^53"));
        }
        #[expect(clippy::cast_precision_loss, reason = "checked above")]
        ValueRef::Integer(value) => Value::Real(value as f64),
        ValueRef::Real(value) => Value::Real(value),
        ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => Value::Blob(bytes.to_vec()),
    })
}

fn is_within_limits(value: &Value) -> bool {
    match value {
        Value::Null | Value::Real(_) => true,
        Value::Integer(value) => value.abs() <= INTEGER_MAX,
        Value::Text(text) => text.len() <= TEXT_BYTES_MAX,
        Value::Blob(bytes) => bytes.len() <= TEXT_BYTES_MAX,
    }
}

fn failed(error: &rusqlite::Error) -> SqlError {
    SqlError::new(error.to_string())
}

impl Sql for Native {
    fn run(&self, statement: &str, parameters: &[Value]) -> Result<Vec<Row>, SqlError> {
        if parameters.len() > PARAMETERS_MAX
            || statement.len() > STATEMENT_BYTES_MAX
            || !parameters.iter().all(is_within_limits)
        {
            return Err(SqlError::new("a limit of Durable Objects is exceeded"));
        }
        let Some(written) = self.rows_written.get() else { return self.execute(statement, parameters) };
        let (before, changes) = (self.index_entries()?, self.changes());
        let rows = self.execute(statement, parameters)?;
        let touched = self.index_entries()?.symmetric_difference(&before).count() as u64;
        self.rows_written.set(Some(written + self.changes() - changes + touched));
        Ok(rows)
    }

    /// As a Durable Object counts it: pages that are in use.
    fn database_size(&self) -> Result<u64, SqlError> {
        let pragma = |name: &str| -> Result<u64, SqlError> {
            let number: i64 = self
                .connection
                .pragma_query_value(None, name, |row| row.get(0))
                .map_err(|error| failed(&error))?;
            Ok(number.unsigned_abs())
        };
        Ok((pragma("page_count")? - pragma("freelist_count")?) * pragma("page_size")?)
    }

    fn transaction(&self, work: &mut dyn FnMut() -> Result<(), LedgerError>) -> Result<(), LedgerError> {
        assert!(!self.in_transaction.replace(true), "transactions are not nested");
        self.run("BEGIN", &[])?;
        let done = work();
        let end = if done.is_ok() { "COMMIT" } else { "ROLLBACK" };
        self.run(end, &[])?;
        self.in_transaction.set(false);
        done
    }
}
