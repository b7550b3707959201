//! The ledger's [`Sql`] over a Durable Object's SQLite.
//!
//! Every call into JavaScript that may throw is declared with `catch`: `worker`'s cursor methods are not, and
//! a throw from one of them kills the whole instance (docs/platform.md 1.9, trap 3). Rows come as arrays
//! (`cursor.raw().toArray()`), in two calls a statement however many rows there are.

use js_sys::{Array, Uint8Array};
use postern_ledger::{LedgerError, Row, Sql, SqlError, Value};
use wasm_bindgen::prelude::*;

use crate::meter::{self, Billed};

#[wasm_bindgen]
extern "C" {
    /// `ctx.storage` of an object with SQLite.
    #[derive(Clone)]
    type SqliteStorage;

    #[wasm_bindgen(method, getter, structural)]
    fn sql(this: &SqliteStorage) -> Statements;

    /// Runs the callback in a transaction: commits when it returns, rolls back and throws on when it throws.
    #[wasm_bindgen(method, catch, structural, js_name = transactionSync)]
    fn transaction_sync(
        this: &SqliteStorage,
        work: &mut dyn FnMut() -> Result<JsValue, JsValue>,
    ) -> Result<JsValue, JsValue>;

    /// `ctx.storage.sql`
    #[derive(Clone)]
    type Statements;

    #[wasm_bindgen(method, catch, structural, variadic)]
    fn exec(this: &Statements, statement: &str, parameters: Array) -> Result<Cursor, JsValue>;

    #[wasm_bindgen(method, catch, getter, structural, js_name = databaseSize)]
    fn database_size(this: &Statements) -> Result<JsValue, JsValue>;

    type Cursor;

    #[wasm_bindgen(method, catch, structural)]
    fn raw(this: &Cursor) -> Result<RawRows, JsValue>;

    #[wasm_bindgen(method, getter, structural, js_name = rowsRead)]
    fn rows_read(this: &Cursor) -> JsValue;

    #[wasm_bindgen(method, getter, structural, js_name = rowsWritten)]
    fn rows_written(this: &Cursor) -> JsValue;

    type RawRows;

    #[wasm_bindgen(method, catch, structural, js_name = toArray)]
    fn to_array(this: &RawRows) -> Result<Array, JsValue>;
}

/// The database of one project object.
pub(crate) struct ObjectSql {
    storage: SqliteStorage,
    statements: Statements,
}

impl ObjectSql {
    /// The database behind `storage`.
    pub(crate) fn new(storage: &worker::durable::Storage) -> Self {
        let raw: &JsValue = storage.as_raw().as_ref();
        let storage: SqliteStorage = raw.clone().unchecked_into();
        let statements = storage.sql();
        Self { storage, statements }
    }

    fn rows(&self, statement: &str, parameters: &[Value]) -> Result<Vec<Row>, JsValue> {
        let bound: Array = parameters.iter().map(to_js).collect();
        let cursor = self.statements.exec(statement, bound)?;
        let rows = cursor.raw()?.to_array()?;
        meter::count(Billed::RowsRead, whole(&cursor.rows_read()));
        meter::count(Billed::RowsWritten, whole(&cursor.rows_written()));
        Ok(rows
            .iter()
            .map(|row| Row::new(Array::from(&row).iter().map(|value| from_js(&value)).collect()))
            .collect())
    }
}

impl Sql for ObjectSql {
    fn run(&self, statement: &str, parameters: &[Value]) -> Result<Vec<Row>, SqlError> {
        self.rows(statement, parameters).map_err(|thrown| SqlError::new(words(thrown)))
    }

    /// `transactionSync`: an `Err` from a handler alone would leave the rows that were written before it
    /// (docs/platform.md 1.9, trap 4).
    fn transaction(&self, work: &mut dyn FnMut() -> Result<(), LedgerError>) -> Result<(), LedgerError> {
        let mut fault = None;
        let outcome = self.storage.transaction_sync(&mut || match work() {
            Ok(()) => Ok(JsValue::UNDEFINED),
            Err(error) => {
                let thrown = JsValue::from_str(&error.to_string());
                fault = Some(error);
                Err(thrown)
            }
        });
        match (outcome, fault) {
            (Ok(_), None) => Ok(()),
            (_, Some(error)) => Err(error),
            (Err(thrown), None) => Err(LedgerError::Sql(SqlError::new(words(thrown)))),
        }
    }

    fn database_size(&self) -> Result<u64, SqlError> {
        self.statements
            .database_size()
            .map(|bytes| whole(&bytes))
            .map_err(|thrown| SqlError::new(words(thrown)))
    }
}

/// Integers of the ledger stay below 2^53, so a JavaScript number holds each of them exactly.
fn to_js(value: &Value) -> JsValue {
    match value {
        Value::Null => JsValue::NULL,
        #[expect(clippy::cast_precision_loss, reason = "below 2^53 by the ledger's contract")]
        Value::Integer(integer) => JsValue::from_f64(*integer as f64),
        Value::Real(real) => JsValue::from_f64(*real),
        Value::Text(text) => JsValue::from_str(text),
        Value::Blob(bytes) => Uint8Array::from(bytes.as_slice()).into(),
    }
}

/// Numbers arrive as floats; [`Row::integer`] takes a whole one for an integer.
fn from_js(value: &JsValue) -> Value {
    if let Some(number) = value.as_f64() {
        Value::Real(number)
    } else if let Some(text) = value.as_string() {
        Value::Text(text)
    } else if value.is_null() || value.is_undefined() {
        Value::Null
    } else {
        Value::Blob(Uint8Array::new(value).to_vec())
    }
}

/// A count that the platform gives as a number.
fn whole(number: &JsValue) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of rows")]
    number.as_f64().map_or(0, |count| count as u64)
}

fn words(thrown: JsValue) -> String {
    worker::Error::from(thrown).to_string()
}
