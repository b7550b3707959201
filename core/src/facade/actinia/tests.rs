use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::chain::submit;
use super::*;
use crate::egress::Policy;
use crate::fault::InputFault;
use crate::run::{CallbackKind, Entry, Progress, RunDraft, RunMode, RunState};
use crate::time::Timestamp;

const CREATED: Timestamp = Timestamp(1_735_689_600_100);

fn entry() -> Entry {
    let path = format!("{BASE_PATH}/locations/nc_spm_08/processing_async_export");
    Entry {
        origin: String::from("http://h.example"),
        path,
        endpoint: String::from("asyncephemeralexportresource"),
    }
}

fn raw(value: &Value) -> Box<RawValue> {
    RawValue::from_string(value.to_string()).unwrap_or_else(|_never| RawValue::NULL.to_owned())
}

fn facts<'a>(entry: &'a Entry, state: RunState, message: &'a str) -> Facts<'a> {
    Facts {
        project: "u",
        uuid: "0f00",
        entry,
        state,
        message,
        progress: None,
        created_at: CREATED,
        started_at: None,
        updated_at: CREATED,
        chain: None,
        results: None,
        log: &[],
    }
}

fn read(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}

#[test]
fn a_status_has_the_documented_fields_and_types() {
    let (entry, chain) = (entry(), raw(&json!({"version": "1", "list": []})));
    let log = [raw(
        &json!({"id": "1", "executable": "/bin/true", "parameter": [], "stdout": "", "stderr": [""], "return_code": 0, "run_time": 0.05}),
    )];
    let progress = Some(Progress::new(1, 2, None));
    let (started_at, updated_at) = (Some(CREATED.plus_ms(400)), CREATED.plus_ms(2_300));
    let facts = Facts {
        progress,
        started_at,
        updated_at,
        chain: Some(&chain),
        log: &log,
        ..facts(&entry, RunState::Finished, "done")
    };
    let found = read(&status(&facts));
    assert_eq!(
        found,
        json!({
            "status": "finished", "user_id": "u", "resource_id": "resource_id-0f00", "queue": "local",
            "accept_timestamp": 1_735_689_600.1, "accept_datetime": "2025-01-01 00:00:00.100000",
            "timestamp": 1_735_689_602.4, "datetime": "2025-01-01 00:00:02.400000", "time_delta": 2.3,
            "start_timestamp": 1_735_689_600.5, "start_datetime": "2025-01-01 00:00:00.500000", "process_time_delta": 1.9,
            "message": "done", "http_code": 200, "progress": {"step": 1, "num_of_steps": 2}, "process_results": {},
            "process_log": [{"id": "1", "executable": "/bin/true", "parameter": [], "stdout": "", "stderr": [""], "return_code": 0, "run_time": 0.05}],
            "process_chain_list": [{"version": "1", "list": []}],
            "urls": {"status": "http://h.example/actinia/api/v3/resources/u/resource_id-0f00", "resources": []},
            "api_info": {
                "endpoint": "asyncephemeralexportresource", "method": "POST",
                "path": "/actinia/api/v3/locations/nc_spm_08/processing_async_export",
                "request_url": "http://h.example/actinia/api/v3/locations/nc_spm_08/processing_async_export",
            },
        })
    );
}

#[test]
fn what_is_not_set_is_left_out() {
    let found = read(&status(&facts(&entry(), RunState::Accepted, "Resource accepted")));
    for key in [
        "iteration",
        "start_timestamp",
        "start_datetime",
        "process_time_delta",
        "process_log",
        "progress",
        "exception",
    ] {
        assert!(found.get(key).is_none(), "{key}");
    }
    assert_eq!(
        (&found["time_delta"], &found["process_results"], &found["process_chain_list"]),
        (&json!(0.0), &json!({}), &json!([]))
    );
}

#[test]
fn an_error_is_400_with_its_exception() {
    let entry = entry();
    let facts = facts(&entry, RunState::Error, "it broke");
    assert_eq!(facts.http_code(), 400);
    let found = read(&status(&facts));
    assert_eq!(found["message"], "AsyncProcessError:  it broke");
    assert_eq!(
        found["exception"],
        json!({"message": "it broke", "type": "AsyncProcessError", "traceback": []})
    );
    assert_eq!((&found["http_code"], &found["status"]), (&json!(400), &json!("error")));
    assert_eq!(message(RunState::Error, "AsyncProcessError:  once"), "AsyncProcessError:  once");
    assert_eq!(message(RunState::Terminated, "stopped"), "stopped");
}

#[test]
fn results_and_log_entries_take_a_form_that_strict_clients_read() {
    let entry = entry();
    let log = [raw(&json!("a line")), raw(&json!({"any": 1}))];
    for (sent, expected) in [
        (json!({"a": 1}), json!({"a": 1})),
        (json!("s"), json!("s")),
        (json!([1]), json!({"value": [1]})),
        (Value::Null, json!({})),
    ] {
        let sent = raw(&sent);
        let found = read(&status(&Facts {
            results: Some(&sent),
            log: &log,
            ..facts(&entry, RunState::Finished, "m")
        }));
        assert_eq!(found["process_results"], expected);
        assert_eq!(
            (&found["process_log"][0]["stdout"], &found["process_log"][1]["stdout"]),
            (&json!("a line"), &json!("{\"any\":1}"))
        );
        assert!(found["process_log"][1]["stderr"].is_array());
    }
}

#[test]
fn a_callback_is_encoded_twice_and_an_update_carries_neither_log_nor_chain() {
    let (entry, chain, log) = (entry(), raw(&json!({"version": "1"})), [raw(&json!("x"))]);
    let facts =
        Facts { chain: Some(&chain), log: &log, ..facts(&entry, RunState::Finished, "Schritt ü \"1\"") };
    let twice = |kind| {
        let Value::String(inner) = read(&callback_body(kind, &facts)) else { panic!("a JSON string") };
        read(&inner)
    };
    let update = twice(CallbackKind::Update);
    assert_eq!(
        (&update["status"], &update["process_chain_list"], update.get("process_log")),
        (&json!("running"), &json!([]), None)
    );
    let finished = twice(CallbackKind::Finished);
    assert_eq!((&finished["status"], &finished["message"]), (&json!("finished"), &json!("Schritt ü \"1\"")));
    assert_eq!(finished["process_chain_list"], json!([{"version": "1"}]));
}

fn submitted(chain: &Value) -> RunDraft {
    let policy = Policy { allow_private_targets: true, own_hosts: vec![String::from("own.example")] };
    match submit(&chain.to_string(), &policy, entry(), RunMode::Work) {
        Ok(draft) => draft,
        Err(fault) => panic!("{fault:?}"),
    }
}

#[test]
fn what_is_wrong_with_a_chain_is_said_by_the_job() {
    let step = json!({"id": "1", "exe": "/bin/true", "params": []});
    for (chain, words) in [
        (json!({}), "version is missing"),
        (json!({"version": "2", "list": []}), "\"2\" of the process chain is not supported"),
        (json!({"version": "1"}), "list of processes is missing"),
        (json!({"version": "1", "list": {}}), "must be an array"),
        (json!({"version": "1", "list": [5]}), "Process 1 of the process chain must be an object"),
        (
            json!({"version": "1", "list": [step, {"exe": "/bin/true"}]}),
            "Process 2 of the process chain has no id",
        ),
        (json!({"version": "1", "list": [{"id": "1"}]}), "neither a module nor an exe"),
        (
            json!({"version": "1", "list": [], "webhooks": {"update": "http://a.example/"}}),
            "The finished URL is missing in the webhooks definition.",
        ),
        (json!({"version": "1", "list": [], "webhooks": []}), "must be an object"),
        (json!({"version": "1", "list": [], "webhooks": {"finished": 5}}), "must be a string"),
        (
            json!({"version": "1", "list": [], "webhooks": {"finished": "http://a.example/", "auth": "x"}}),
            "auth of the webhooks must be user:password",
        ),
        (
            json!({"version": "1", "list": [], "webhooks": {"finished": "http://own.example/x"}}),
            "The finished webhook URL http://own.example/x can not be accessed. It must not point at Postern itself",
        ),
        (
            json!({"version": "1", "list": [], "webhooks": {"finished": "http://a.example/", "update": "ftp://a.example/"}}),
            "The update webhook URL ftp://a.example/ can not be accessed.",
        ),
    ] {
        let draft = submitted(&chain);
        assert!(
            draft.refusal.as_deref().is_some_and(|refusal| refusal.contains(words)),
            "{chain}: {:?}",
            draft.refusal
        );
        assert_eq!(draft.webhooks, None, "nobody is called");
    }
    let good = submitted(
        &json!({"version": "1", "list": [step, {"id": "2", "module": "g.region"}], "webhooks": null}),
    );
    assert_eq!((good.refusal, good.webhooks), (None, None));
    for body in ["", "[]", "5", "{"] {
        assert!(
            matches!(
                submit(body, &Policy::default(), entry(), RunMode::Work),
                Err(InputFault::Invalid(_) | InputFault::Malformed(_))
            ),
            "{body}"
        );
    }
}

#[test]
fn a_refusal_repeats_little_of_what_was_sent() {
    let long = "x".repeat(200_000);
    for chain in [
        json!({"version": long, "list": []}),
        json!({"version": 1, "list": [], "webhooks": {"finished": format!("http://{long}")}}),
        json!({"version": 1, "list": [], "webhooks": {long: 1}}),
    ] {
        let refusal = submitted(&chain).refusal.expect("a refusal");
        assert!((10..=1_024).contains(&refusal.len()), "{} bytes", refusal.len());
    }
}

#[test]
fn no_password_stays_in_the_chain() {
    let webhooks =
        json!({"finished": "http://u:p1@a.example/", "update": "http://v:p2@b.example/", "auth": "w:p:3"});
    let draft = submitted(&json!({"version": "1", "list": [], "webhooks": webhooks}));
    let kept = read(draft.chain.get());
    assert_eq!(
        kept["webhooks"],
        json!({"finished": "http://a.example/", "update": "http://b.example/", "auth": "w:XXX"})
    );
    // "w:p:3"; `auth` wins over what stands in the addresses.
    let authorization = draft.webhooks.and_then(|webhooks| webhooks.finished.authorization);
    assert_eq!(authorization.as_deref(), Some("Basic dzpwOjM="));

    for auth in [json!(["w", "hush"]), json!({"user": "w", "password": "hush"}), json!(5)] {
        let refused = submitted(
            &json!({"version": "1", "list": [], "webhooks": {"finished": "https://a.example/", "auth": auth}}),
        );
        assert!(refused.refusal.is_some());
        assert_eq!(read(refused.chain.get())["webhooks"]["auth"], "XXX");
    }
    let refused = submitted(
        &json!({"version": "1", "list": [], "webhooks": {"finished": "ftp://u:hush@a.example/", "auth": "hush"}}),
    );
    let shown = format!("{} {:?}", refused.chain.get(), refused.refusal);
    assert!(!shown.contains("hush"), "{shown}");
}
