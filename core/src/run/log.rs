//! The log of a run.

use serde_json::value::RawValue;

/// Bytes of a run's log at most; the oldest entries make room.
pub const LOG_BYTES_MAX: usize = 256 * 1024;

/// Adds `more` to a log of at most [`LOG_BYTES_MAX`] bytes; gives how many of the oldest entries had to go.
/// An entry that is too large for any log goes as well.
pub fn append_log(log: &mut Vec<Box<RawValue>>, more: Vec<Box<RawValue>>) -> u32 {
    log.extend(more);
    let mut room = LOG_BYTES_MAX;
    let kept = log
        .iter()
        .rev()
        .take_while(|entry| {
            // One byte for the comma after each.
            let fits = entry.get().len().checked_add(1).and_then(|bytes| room.checked_sub(bytes));
            room = fits.unwrap_or(0);
            fits.is_some()
        })
        .count();
    let dropped = log.len() - kept;
    log.drain(..dropped);
    u32::try_from(dropped).unwrap_or(u32::MAX)
}
