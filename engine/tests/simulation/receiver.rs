//! Receivers: each goes through moods, and all are well in the end.

use postern_core::delivery::{Outcome, ReceivedResponse, WISH_HEADER};

use crate::random::Random;

/// How a receiver behaves for a while.
#[derive(Clone, Copy, Debug)]
enum Mood {
    Quick,
    Slow,
    Broken,
    Hanging,
    Throttling {
        status: u16,
        retry_after_s: Option<u32>,
    },
    Vanished,
    /// Fails and wants no further attempt.
    Aborting,
    /// Fails and wants no further call.
    Disabling,
    Gone,
    /// Fails every other call.
    Flapping,
}

/// One receiver: moods with the time at which each ends.
#[derive(Debug)]
pub(crate) struct Receiver {
    moods: Vec<(i64, Mood)>,
}

/// What a call came to.
pub(crate) struct Answer {
    pub(crate) duration_ms: i64,
    pub(crate) outcome: Outcome,
    pub(crate) response: Option<ReceivedResponse>,
}

impl Answer {
    /// Of a call that we could not make ourselves.
    pub(crate) fn not_made() -> Self {
        let message = String::from("Too many subrequests by single Worker invocation.");
        Self { duration_ms: 2, outcome: Outcome::PlatformFailed { message }, response: None }
    }
}

impl Receiver {
    /// A receiver that is well from `heal_at_ms` on.
    pub(crate) fn new(random: &mut Random, from_ms: i64, heal_at_ms: i64) -> Self {
        let mut moods = Vec::new();
        let mut at_ms = from_ms;
        if random.chance(12) {
            // Broken for good, until somebody cares.
            let mood = if random.chance(50) { Mood::Broken } else { Mood::Vanished };
            return Self { moods: vec![(heal_at_ms, mood)] };
        }
        while at_ms < heal_at_ms {
            let mood = match random.below(24) {
                0..9 => Mood::Quick,
                9..11 => Mood::Slow,
                11..14 => Mood::Broken,
                14..16 => Mood::Hanging,
                16..19 => {
                    let status = *random.pick(&[429, 429, 502, 503, 504]).expect("some");
                    let asks = status == 503 || random.chance(50);
                    let retry_after_s = asks.then(|| u32::try_from(random.between(1, 900)).expect("small"));
                    Mood::Throttling { status, retry_after_s }
                }
                19 => Mood::Vanished,
                20 => Mood::Aborting,
                21 => Mood::Disabling,
                22 => Mood::Flapping,
                _ => Mood::Gone,
            };
            at_ms += random.between(2_000, (heal_at_ms - from_ms) / 2 + 2_001);
            moods.push((at_ms.min(heal_at_ms), mood));
        }
        Self { moods }
    }

    /// A receiver that takes everything and its time.
    pub(crate) fn slow(heal_at_ms: i64) -> Self {
        Self { moods: vec![(heal_at_ms, Mood::Slow)] }
    }

    /// Answers a call that starts at `now_ms`.
    pub(crate) fn answer(&self, random: &mut Random, now_ms: i64, timeout_s: u32) -> Answer {
        let mood = self
            .moods
            .iter()
            .find(|(until_ms, _mood)| now_ms < *until_ms)
            .map_or(Mood::Quick, |(_until, mood)| *mood);
        let timeout_ms = i64::from(timeout_s) * 1_000;
        let wish = |wish: &str| vec![(String::from(WISH_HEADER), String::from(wish))];
        match mood {
            Mood::Quick => answered(random.between(5, 400), 200, Vec::new()),
            Mood::Slow => answered(random.between(900, timeout_ms - 1), 204, Vec::new()),
            Mood::Broken => answered(
                random.between(5, 2_000).min(timeout_ms),
                if random.chance(50) { 500 } else { 503 },
                Vec::new(),
            ),
            Mood::Throttling { status, retry_after_s } => {
                let header = retry_after_s.map(|seconds| (String::from("Retry-After"), seconds.to_string()));
                answered(random.between(5, 50), status, header.into_iter().collect())
            }
            Mood::Aborting => answered(random.between(5, 50), 400, wish("abort")),
            Mood::Disabling => answered(random.between(5, 50), 500, wish("disable")),
            Mood::Gone => answered(random.between(5, 50), 410, Vec::new()),
            // What a receiver wishes while it takes the delivery counts for nothing.
            Mood::Flapping if random.chance(50) => answered(20, 200, wish("disable")),
            Mood::Flapping => answered(20, 429, Vec::new()),
            Mood::Hanging => Answer { duration_ms: timeout_ms, outcome: Outcome::TimedOut, response: None },
            Mood::Vanished => {
                let message = String::from("Network connection lost.");
                Answer { duration_ms: 3, outcome: Outcome::ConnectionFailed { message }, response: None }
            }
        }
    }
}

fn answered(duration_ms: i64, status: u16, headers: Vec<(String, String)>) -> Answer {
    let response =
        ReceivedResponse { status, headers, body: String::from("seen"), ..ReceivedResponse::default() };
    Answer { duration_ms, outcome: Outcome::Answered { status }, response: Some(response) }
}
