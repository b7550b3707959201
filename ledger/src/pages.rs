//! Pages of lists: cursors, and how many rows a page looks at.

use postern_core::api::page::Page;
use postern_core::id::Seq;

use crate::error::LedgerError;
use crate::project::Ledger;
use crate::row::keys::read_created;
use crate::sql::{Row, Sql};

/// Rows that one page of a filtered list looks at, at most (some 20 ms natively). A page that ends there
/// holds fewer items than its limit and says so in `searched_to`.
pub(crate) const SCANNED_MAX: u32 = 20_000;

impl<S: Sql> Ledger<S> {
    /// The key that a cursor names; without one, a key above all.
    pub(crate) fn cursor_seq(&self, cursor: Option<&str>) -> Result<Seq, LedgerError> {
        match cursor {
            None => Ok(Seq((1 << 53) - 1)),
            Some(cursor) => self.ids.seq_of_uuid(cursor).ok_or(LedgerError::BadCursor),
        }
    }

    /// A page of `items`, those of the first `limit` of `rows` (key in column 0). The next one starts after
    /// its last item where there are more; else after the last row that was looked at, where that was not the
    /// end. `looked_up_to` gives that row: the columns of [`read_created`].
    pub(crate) fn page_of<T>(
        &self,
        items: Vec<T>,
        rows: &[Row],
        limit: u32,
        looked_up_to: impl FnOnce() -> Result<Option<Row>, LedgerError>,
    ) -> Result<Page<T>, LedgerError> {
        let cursor = |seq: Seq| self.ids.uuid(seq).to_string();
        if rows.len() > limit as usize {
            let last = (limit as usize)
                .checked_sub(1)
                .and_then(|last| rows.get(last))
                .map(|row| row.seq(0))
                .transpose()?;
            return Ok(Page::new(items, last.map(cursor)));
        }
        let is_full = rows.len() == limit as usize;
        let end = looked_up_to()?.map(|row| read_created(&row, 0)).transpose()?;
        Ok(Page {
            items,
            next: end.map(|(seq, _created_at)| cursor(seq)),
            searched_to: end.filter(|_end| !is_full).map(|(_seq, created_at)| created_at),
        })
    }

    /// The cursor after the first `limit` of `rows` (key in column 0), where there are more.
    pub(crate) fn cursor_after(&self, rows: &[Row], limit: u32) -> Result<Option<String>, LedgerError> {
        if rows.len() <= limit as usize {
            return Ok(None);
        }
        let last = (limit as usize)
            .checked_sub(1)
            .and_then(|last| rows.get(last))
            .map(|row| row.seq(0))
            .transpose()?;
        Ok(last.map(|seq| self.ids.uuid(seq).to_string()))
    }
}
