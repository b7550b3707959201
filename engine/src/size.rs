//! How much one call to a project carries: an object and the Worker have 128 MB each, and hold a call several
//! times (rows, values, JSON, JavaScript's text).

use postern_core::delivery::Attempt;

use crate::desk::Parcel;

/// Reports of one call at most.
const AT_ONCE: usize = 100;
/// Bytes of the reports of one call; a single one may have more (72 KiB of an answer, as JSON up to six times
/// that).
pub(crate) const REPORTS_BYTES_MAX: usize = 2 << 20;
/// Bytes of a report beside what its receiver sent.
const REPORT_BYTES: usize = 1 << 10;

/// Bytes of a text as JSON.
fn json_bytes(text: &str) -> usize {
    let extra = text.bytes().map(|byte| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' => 1,
        0..0x20 => 5,
        _ => 0,
    });
    text.len() + extra.sum::<usize>()
}

/// Bytes of an attempt's report, roughly.
pub(crate) fn report_bytes(attempt: &Attempt) -> usize {
    let headers = |headers: &[(String, String)]| -> usize {
        headers.iter().map(|(name, value)| name.len() + json_bytes(value) + 6).sum()
    };
    let request = attempt.request.as_ref().map_or(0, |request| headers(&request.headers));
    let response = attempt.response.as_ref();
    let response = response.map_or(0, |response| headers(&response.headers) + json_bytes(&response.body));
    REPORT_BYTES + request + response
}

/// Takes the first of `parcels` that one call carries, at least one of them where there is any.
pub(crate) fn take_what_fits(parcels: &mut Vec<Parcel>) -> Vec<Parcel> {
    let mut bytes = 0;
    let fits = |parcel: &&Parcel| {
        bytes += report_bytes(&parcel.report.attempt);
        bytes <= REPORTS_BYTES_MAX
    };
    let count = parcels.iter().take(AT_ONCE).take_while(fits).count();
    parcels.drain(..count.max(1).min(parcels.len())).collect()
}
