//! What one request may cost, counted in steps: an event that takes more than it may is refused and its field
//! named, and no event ever goes to fewer webhooks because it was long. How much time the steps take is
//! measured by `cargo xtask bench --only worst`.

#[path = "support/random.rs"]
#[expect(dead_code, reason = "the simulation uses the rest")]
mod random;
#[path = "support/shapes.rs"]
mod shapes;
#[expect(dead_code, reason = "other tests use the rest")]
mod support;

use postern_core::budget::{EVENT_STEPS_MAX, REQUEST_STEPS_MAX};
use postern_core::event::{EventTypeDraft, parse_batch, parse_event};
use postern_core::fault::BODY_BYTES_MAX;
use postern_ledger::{InlineLimit, LedgerError};

use crate::random::Random;
use crate::shapes::{DATA_BYTES, KIND, Shape};
use crate::support::build::{START, create, ledger};

/// Shapes that are tried.
const SEEDS: u64 = 60;

fn ledger_for(shape: &Shape) -> postern_ledger::Ledger<std::rc::Rc<support::native::Native>> {
    let mut ledger = ledger();
    for webhook in &shape.webhooks {
        create(&mut ledger, webhook.clone());
    }
    if let Some(schema) = &shape.schema {
        let draft =
            EventTypeDraft { schema: Some(schema.clone()), ..EventTypeDraft::new(String::from(KIND)) };
        ledger.create_event_type(draft, START).expect("an event type");
    }
    ledger
}

fn pointers<T>(refused: Result<T, LedgerError>) -> Vec<String> {
    match refused {
        Err(LedgerError::SchemaViolated { faults }) => {
            faults.into_iter().map(|fault| fault.pointer).collect()
        }
        Err(other) => panic!("{other}"),
        Ok(_) => Vec::new(),
    }
}

#[test]
fn an_event_is_matched_exactly_or_refused_with_its_field_whatever_it_holds() {
    let (mut refused, mut taken) = (0, 0);
    for seed in 0..SEEDS {
        let shape = Shape::new(&mut Random::new(seed), DATA_BYTES);
        let body = shape.body();
        assert!(body.len() <= BODY_BYTES_MAX, "{}", shape.words);
        let event = parse_event(&body).unwrap_or_else(|fault| panic!("{}: {fault:?}", shape.words));
        let (steps, wanted) = shape.true_steps();
        let mut ledger = ledger_for(&shape);
        let dry = pointers(ledger.dry_run(event.clone(), None, START));
        let answer = ledger.ingest(vec![event], InlineLimit(0), START);
        match (steps > EVENT_STEPS_MAX, wanted) {
            (true, _) => {
                refused += 1;
                assert_eq!(pointers(answer), ["/events/0/data"], "{}: {steps} steps", shape.words);
                assert_eq!(dry, ["/data"], "{}", shape.words);
                assert!(
                    ledger
                        .list_events(&postern_ledger::EventFilter::default(), 1, None)
                        .expect("a list")
                        .items
                        .is_empty()
                );
            }
            (false, Some(wanted)) => {
                taken += 1;
                assert_eq!(
                    answer.expect("it is taken").changed.len(),
                    wanted,
                    "{}: {steps} steps",
                    shape.words
                );
            }
            (false, None) => assert!(
                pointers(answer).iter().all(|pointer| pointer.starts_with("/events/0/data")),
                "{}",
                shape.words
            ),
        }
    }
    assert!(refused > 10 && taken > 10, "{refused} refused, {taken} taken");
}

#[test]
fn the_events_of_a_request_share_what_a_request_may_cost() {
    for seed in 0..SEEDS {
        let shape = Shape::new(&mut Random::new(seed), DATA_BYTES / 100);
        let (steps, wanted) = shape.true_steps();
        let body = format!(r#"{{"events":[{}]}}"#, vec![shape.body(); 60].join(","));
        let Ok(events) = parse_batch(&body) else { continue };
        let answer = ledger_for(&shape).ingest(events, InlineLimit(0), START);
        if steps > EVENT_STEPS_MAX || (wanted.is_some() && steps * 60 > REQUEST_STEPS_MAX) {
            let first = if steps > EVENT_STEPS_MAX { 0 } else { REQUEST_STEPS_MAX / steps };
            assert_eq!(pointers(answer), [format!("/events/{first}/data")], "{}: {steps} steps", shape.words);
        } else if let Some(wanted) = wanted {
            assert_eq!(
                answer.expect("it is taken").changed.len(),
                wanted * 60,
                "{}: {steps} steps",
                shape.words
            );
        }
    }
}
