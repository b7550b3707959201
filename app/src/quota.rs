//! The limits of a project in words: how much of each is used, and what to do about one that is reached.
//!
//! The numbers are the server's (`GET /v1/projects/{project}`, and the problem `quota`), and so are the words
//! of what is counted and what helps; here they become sentences for a person.

use postern_core::api::project::ProjectDetail;
use postern_core::problem::Problem;
use postern_core::quota::{Quota, QuotaUse};
use postern_core::time::Timestamp;

use crate::words;

/// What the list of limits calls it.
pub(crate) const fn name(quota: Quota) -> &'static str {
    match quota {
        Quota::Webhooks => "Webhooks",
        Quota::OriginWebhooks => "Webhooks of one origin",
        Quota::Inboxes => "Inboxes",
        Quota::InboxRequestsPerMinute => "Requests to one inbox",
        Quota::OpenDeliveries => "Open deliveries",
        Quota::RequestDeliveries => "Deliveries of one request",
        Quota::StoredBytes => "Stored",
        Quota::EventsPerMinute => "Events of one token",
        Quota::OpenRuns => "Open runs",
        Quota::LiveSockets => "Live feeds of one token",
    }
}

/// A number of what is counted: bytes as a size, what is counted by the minute with that.
fn amount(quota: Quota, number: u64) -> String {
    match quota {
        Quota::StoredBytes => words::bytes(number),
        Quota::InboxRequestsPerMinute | Quota::EventsPerMinute => {
            format!("{} a minute", words::number(number))
        }
        _ => words::number(number),
    }
}

/// How much is used of a limit: `12 of 10,000 · 0.1 %`, or the limit alone where nothing is counted for the
/// project.
pub(crate) fn use_words(of: &QuotaUse) -> String {
    match (of.used, of.limit) {
        (Some(used), Some(limit)) => format!(
            "{} of {} · {}",
            amount(of.quota, used),
            amount(of.quota, limit),
            words::percent(used, limit)
        ),
        (Some(used), None) => format!("{}, without a limit", amount(of.quota, used)),
        (None, Some(limit)) => format!("at most {}", amount(of.quota, limit)),
        (None, None) => String::from("without a limit"),
    }
}

/// A warning: what is nearly used up, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Warning {
    /// Such as `8,000 of 10,000 webhooks of this project are used`.
    pub(crate) headline: String,
    /// What to do.
    pub(crate) advice: String,
}

/// A warning for each limit that is nearly used up, the nearest first.
pub(crate) fn warnings(uses: &[QuotaUse]) -> Vec<Warning> {
    let mut near: Vec<&QuotaUse> = uses.iter().filter(|of| of.is_nearly_used_up()).collect();
    // Thousandths, so that whole numbers can be compared.
    let part =
        |of: &QuotaUse| of.used.unwrap_or_default().saturating_mul(1_000) / of.limit.unwrap_or(1).max(1);
    near.sort_by_key(|of| std::cmp::Reverse(part(of)));
    near.into_iter()
        .map(|of| Warning {
            headline: format!("{}: {}", name(of.quota), use_words(of)),
            advice: words::sentence(of.quota.advice()),
        })
        .collect()
}

/// What the project gave up early because its store filled up; `offset_min`: minutes by which its times are
/// shown after UTC's.
pub(crate) fn aged(detail: &ProjectDetail, offset_min: impl Fn(Timestamp) -> i64) -> Option<Warning> {
    let aged = detail.aged.as_ref()?;
    let days = words::count(detail.settings.retention_days, "day", "days");
    let shown = |at: Timestamp| words::date_time(at, offset_min(at));
    let headline = match (aged.kept_since, aged.answers_kept_since) {
        (Some(since), _) => format!("Kept since {} instead of {days}", shown(since)),
        (None, Some(since)) => format!("Answers are kept since {} instead of {days}", shown(since)),
        (None, None) => return None,
    };
    let advice = String::from(
        "The store filled up, so what had ended longest ago went early. What is open stays. Keep fewer days or send less to choose yourself what goes.",
    );
    Some(Warning { headline, advice })
}

/// What a call was refused for because of a limit; `None` of any other refusal.
pub(crate) fn refusal(problem: &Problem) -> Option<Warning> {
    let (quota, limit) = (problem.quota?, problem.limit?);
    let used = problem.used.filter(|_used| quota != Quota::RequestDeliveries);
    let used = match used {
        Some(used) if quota == Quota::StoredBytes => format!("{} are used. ", words::bytes(used)),
        Some(used) => format!("{} are used. ", words::number(used)),
        None => String::new(),
    };
    let again =
        problem.retry_after_s.map(|seconds| format!(" Try again in {}.", words::span(seconds.into())));
    Some(Warning {
        headline: format!("The limit is {} {}", words::number(limit), quota.counted()),
        advice: format!("{used}{}{}", words::sentence(quota.advice()), again.unwrap_or_default()),
    })
}

#[cfg(test)]
mod tests {
    use postern_core::quota::Exceeded;

    use super::*;

    const fn of(quota: Quota, used: Option<u64>, limit: Option<u64>) -> QuotaUse {
        QuotaUse { quota, limit, used }
    }

    #[test]
    fn a_limit_is_said_with_its_use() {
        let said = [
            (of(Quota::Webhooks, Some(12), Some(10_000)), "12 of 10,000 · 0.1 %"),
            (of(Quota::StoredBytes, Some(1_500_000), Some(8_000_000_000)), "1.4 MiB of 7.4 GiB · 0 %"),
            (of(Quota::EventsPerMinute, None, Some(600_000)), "at most 600,000 a minute"),
            (of(Quota::OpenRuns, Some(3), None), "3, without a limit"),
            (of(Quota::LiveSockets, None, None), "without a limit"),
        ];
        for (of, words) in said {
            assert_eq!(use_words(&of), words);
        }
    }

    #[test]
    fn only_what_is_nearly_used_up_is_warned_of_and_the_nearest_comes_first() {
        let uses = [
            of(Quota::Webhooks, Some(8), Some(10)),
            of(Quota::Inboxes, Some(7), Some(10)),
            of(Quota::OpenDeliveries, Some(999), Some(1_000)),
            of(Quota::EventsPerMinute, None, Some(1)),
            of(Quota::OpenRuns, Some(9), None),
        ];
        let headlines: Vec<String> = warnings(&uses).into_iter().map(|warning| warning.headline).collect();
        assert_eq!(headlines, ["Open deliveries: 999 of 1,000 · 99.9 %", "Webhooks: 8 of 10 · 80 %"]);
        assert_eq!(warnings(&uses[..1])[0].advice, "Delete one that is not needed.");
        assert_eq!(warnings(&[]), []);
    }

    #[test]
    fn what_was_given_up_early_is_said_with_what_is_left() {
        use postern_core::api::project::{Aged, ProjectCounts, ProjectSettings};
        use postern_core::webhook::ProjectName;
        let detail = |aged| ProjectDetail {
            name: ProjectName::parse("p").expect("a name"),
            created_at: Timestamp(0),
            counts: ProjectCounts::default(),
            settings: ProjectSettings::default(),
            sealed_under: None,
            quotas: Vec::new(),
            full: false,
            aged,
        };
        let said = |aged| super::aged(&detail(aged), |_at| 0).map(|warning| warning.headline);
        let at = Some(Timestamp(1_795_270_051_204));
        assert_eq!(said(None), None);
        let answers = Aged { answers_kept_since: at, answers: 1, ..Aged::default() };
        assert_eq!(
            said(Some(answers.clone())).as_deref(),
            Some("Answers are kept since 2026-11-21 14:07:31 instead of 30 days")
        );
        assert_eq!(
            said(Some(Aged { kept_since: at, events: 1, ..answers })).as_deref(),
            Some("Kept since 2026-11-21 14:07:31 instead of 30 days")
        );
    }

    #[test]
    fn a_refusal_names_the_limit_and_what_to_do() {
        let exceeded = Exceeded {
            quota: Quota::EventsPerMinute,
            limit: 600_000,
            used: 600_000,
            more: 1,
            retry_after_s: Some(30),
        };
        let said = refusal(&Problem::over_quota(exceeded)).expect("a refusal");
        assert_eq!(said.headline, "The limit is 600,000 events of this token in a minute");
        assert_eq!(said.advice, "600,000 are used. Wait, and send fewer. Try again in 30 s.");
        let other =
            Problem::new(postern_core::problem::ProblemType::TooManyRequests, String::from("slow down"));
        assert_eq!(refusal(&other), None);
    }
}
