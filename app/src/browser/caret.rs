//! Where the cursor stands in a line of text.

use web_sys::HtmlInputElement;

/// Bytes of the field's text before the cursor.
pub(crate) fn before(field: &HtmlInputElement) -> usize {
    let text = field.value();
    let units = field.selection_start().ok().flatten();
    units.map_or(text.len(), |units| bytes_of(&text, units as usize))
}

/// Puts `text` into the field, and the cursor behind its first `at` bytes.
pub(crate) fn put(field: &HtmlInputElement, text: &str, at: usize) {
    field.set_value(text);
    let units = text.get(..at).unwrap_or(text).encode_utf16().count();
    let units = u32::try_from(units).unwrap_or(u32::MAX);
    // Fails only for a field that has no cursor.
    drop(field.set_selection_range(units, units));
}

/// The bytes of the first so many units of UTF-16, in which browsers count.
fn bytes_of(text: &str, units: usize) -> usize {
    let mut passed = 0;
    let end = text.char_indices().find(|(_, letter)| {
        let is_end = passed >= units;
        passed += letter.len_utf16();
        is_end
    });
    end.map_or(text.len(), |(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_of_utf_16_are_bytes_of_utf_8() {
        let found = [0, 1, 2, 4, 5, 99].map(|units| bytes_of("aü😀b", units));
        assert_eq!(found, [0, 1, 3, 7, 8, 8]);
    }
}
