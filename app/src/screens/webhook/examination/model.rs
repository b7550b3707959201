//! The calls of a check, and how far each is.

use postern_core::api::test::{TestStatus, TestView};
use postern_core::examination::{Finding, Variation, Verdict};
use serde_json::json;

use crate::api::ApiFailure;
use crate::ui::badge::Tone;

/// The calls in their order, the sound one first: where that fails, the others say nothing.
pub(super) fn calls() -> Vec<Option<Variation>> {
    std::iter::once(None).chain(Variation::ALL.map(Some)).collect()
}

/// How far a call is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// It was not made yet.
    Waiting,
    /// It is under way.
    Running,
    /// It is not made, and why.
    Skipped(String),
    /// What came of it.
    Found(Finding),
}

impl Step {
    /// What came of a test that has ended.
    pub(super) fn of(test: &TestView, asked: Option<Variation>) -> Self {
        let plain = || {
            let verdict =
                if test.status == TestStatus::Completed { Verdict::Passed } else { Verdict::Failed };
            let reason = test.attempt.as_ref().map(|attempt| &attempt.reason);
            let advice = match reason {
                Some(reason) => format!("{}. {}", reason.headline.trim_end_matches('.'), reason.advice),
                None => test.error_message.clone().unwrap_or_default(),
            };
            Finding { verdict, advice: String::from(advice.trim_end()) }
        };
        // A server of an older version makes a plain test of it.
        let is_unknown = asked.is_some() && test.finding.is_none();
        if is_unknown {
            return Self::Skipped(String::from("The server does not know this test."));
        }
        Self::Found(test.finding.clone().unwrap_or_else(plain))
    }

    /// What came of a call that the API refuses.
    pub(super) fn refused(failure: &ApiFailure) -> Self {
        let fault = match failure {
            ApiFailure::Problem(problem) => problem.errors.first(),
            _ => None,
        };
        // The words of a fault start with what its field does.
        Self::Skipped(
            fault.map_or_else(|| failure.to_string(), |fault| format!("This test {}.", fault.detail)),
        )
    }

    /// Whether it is a sound call that was not taken.
    pub(super) fn ends_the_check(&self, variation: Option<Variation>) -> bool {
        let is_good = matches!(self, Self::Found(Finding { verdict: Verdict::Passed, .. }));
        variation.is_none() && !is_good
    }

    /// Its state as a word.
    pub(super) fn word(&self) -> (Tone, &'static str) {
        match self {
            Self::Waiting => (Tone::Idle, "Waiting"),
            Self::Running => (Tone::Busy, "Calling"),
            Self::Skipped(_) => (Tone::Idle, "Not tried"),
            Self::Found(finding) => match finding.verdict {
                Verdict::Passed => (Tone::Good, "Passed"),
                Verdict::Failed => (Tone::Bad, "Failed"),
                Verdict::Unknown => (Tone::Bad, "No answer"),
            },
        }
    }

    /// What it says, and what to do.
    pub(super) fn words(&self) -> &str {
        match self {
            Self::Waiting | Self::Running => "",
            Self::Skipped(why) => why,
            Self::Found(finding) => &finding.advice,
        }
    }
}

/// What a good receiver does.
pub(super) const fn title(variation: Option<Variation>) -> &'static str {
    match variation {
        None => "Takes a sound callback",
        Some(Variation::WrongSignature) => "Refuses a wrong signature",
        Some(Variation::NoSignature) => "Refuses a missing signature",
        Some(Variation::OtherBody) => "Refuses a changed body",
        Some(Variation::OldTimestamp) => "Refuses an old callback",
        Some(Variation::Repeated) => "Takes a callback that comes again",
        Some(Variation::AtOnce) => "Takes a callback that comes twice at once",
        Some(Variation::Large) => "Takes a body of 150 kB",
        Some(Variation::Slow) => "Takes a body that comes slowly",
    }
}

/// The body of the test that makes a call.
pub(super) fn body(variation: Option<Variation>) -> String {
    variation.map_or_else(|| String::from("{}"), |variation| json!({ "variation": variation }).to_string())
}

/// How the check went, once nothing of it waits any more.
pub(super) fn summary(steps: &[Step]) -> Option<String> {
    if steps.is_empty() || steps.iter().any(|step| matches!(step, Step::Waiting | Step::Running)) {
        return None;
    }
    let verdicts = || {
        steps.iter().filter_map(|step| if let Step::Found(found) = step { Some(found.verdict) } else { None })
    };
    let (passed, made) =
        (verdicts().filter(|verdict| *verdict == Verdict::Passed).count(), verdicts().count());
    Some(if passed == made && made == steps.len() {
        format!("The receiver passes all {made} tests.")
    } else {
        format!("The receiver passes {passed} of {made} tests.")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(verdict: Verdict) -> Step {
        Step::Found(Finding { verdict, advice: String::from("So.") })
    }

    #[test]
    fn the_sound_call_comes_first_and_ends_the_check_unless_it_is_taken() {
        let calls = calls();
        assert_eq!((calls.len(), calls[0]), (Variation::ALL.len() + 1, None));
        let slow = Some(Variation::Slow);
        assert!(!found(Verdict::Passed).ends_the_check(None) && !found(Verdict::Failed).ends_the_check(slow));
        for step in [found(Verdict::Failed), found(Verdict::Unknown), Step::Skipped(String::new())] {
            assert!(step.ends_the_check(None), "{step:?}");
        }
    }

    #[test]
    fn a_summary_counts_what_was_made() {
        assert_eq!((summary(&[]), summary(&[found(Verdict::Passed), Step::Running])), (None, None));
        let skipped = Step::Skipped(String::from("It needs a secret."));
        let some = [found(Verdict::Passed), found(Verdict::Failed), skipped];
        assert_eq!(summary(&some).as_deref(), Some("The receiver passes 1 of 2 tests."));
        let all = [found(Verdict::Passed), found(Verdict::Passed)];
        assert_eq!(summary(&all).as_deref(), Some("The receiver passes all 2 tests."));
    }

    #[test]
    fn each_call_has_a_title_and_a_body_of_its_own() {
        let mut titles: Vec<&str> = calls().into_iter().map(title).collect();
        titles.sort_unstable();
        titles.dedup();
        assert_eq!(titles.len(), calls().len());
        assert_eq!(
            (body(None).as_str(), body(Some(Variation::AtOnce)).as_str()),
            ("{}", r#"{"variation":"at_once"}"#)
        );
    }
}
