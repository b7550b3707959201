//! What is said of an answer's body.

use super::reason::shorten;
use crate::delivery::BodyNote;

/// What is said of an answer's body.
pub(super) struct AboutBody {
    /// Goes on after the status; empty where the headline does without it.
    headline: String,
    /// What it means.
    pub(super) advice: String,
}

impl AboutBody {
    /// Goes on with `headline`, and gives what it means.
    pub(super) fn add_to(self, headline: &mut String) -> String {
        headline.push_str(&self.headline);
        self.advice
    }
}

pub(super) fn of_body(note: &BodyNote) -> AboutBody {
    const DECIDES: &str = "The status came before that and decides, so this changes nothing.";
    let about = |headline: &str, advice: String| AboutBody { headline: String::from(headline), advice };
    match note {
        BodyNote::BrokenOff { message } => about(
            ", with a body that broke off",
            format!(
                "The connection ended before the answer's body did ({}). {DECIDES}",
                shorten(message).trim_end_matches('.')
            ),
        ),
        BodyNote::TimedOut => about(
            ", with a body that did not end in time",
            format!("The answer's body did not end within the timeout. {DECIDES}"),
        ),
        BodyNote::NotDecoded { coding, message } => AboutBody {
            headline: format!(", with a body that is not valid {}", shorten(coding)),
            advice: format!(
                "The answer says content-encoding: {}, but its body is something else or empty ({}). {DECIDES}",
                shorten(coding),
                shorten(message).trim_end_matches('.')
            ),
        },
        BodyNote::StillEncoded { coding } => about(
            "",
            format!(
                "The answer's body is compressed (content-encoding: {}), which Postern does not undo: it is kept in base64 as it came.",
                shorten(coding)
            ),
        ),
        BodyNote::NotText { charset: Some(charset) } => about(
            "",
            format!(
                "The answer's body is not text in the charset that it declares ({}): it is kept in base64 as it came.",
                shorten(charset)
            ),
        ),
        BodyNote::NotText { charset: None } => about(
            "",
            String::from(
                "The answer's body is not UTF-8 and declares no other charset: it is kept in base64 as it came.",
            ),
        ),
    }
}
