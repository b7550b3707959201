"""Drives UbiOps' own client through all seven webhook operations, with good and bad input.

usage: drive.py BASE VERSION PROJECT TOKEN STRANGERS_TOKEN

Each scenario is a function; the last line printed is a JSON summary.
"""

import json
import sys
from importlib.metadata import version as release_of

import ubiops
from harness import Checks, Native, Receiver
from rig import eventually, run_all, scenario
from ubiops import WebhookCreate, WebhookHeader, WebhookTestCreate, WebhookUpdate

OPERATIONS = set()


class Client:
    """The client's CoreApi, noting which operations were used."""

    def __init__(self, host, token):
        configuration = ubiops.Configuration(host=host, api_key={"Authorization": token})
        # 4.15.0 would wait out a 429 for ever (docs/wire.md A.6).
        configuration.auto_retry_rate_limiting = False
        self.api = ubiops.CoreApi(ubiops.ApiClient(configuration))

    def __getattr__(self, name):
        OPERATIONS.add(name)
        return getattr(self.api, name)


class World:
    def __init__(self, base, version, project, token, strangers_token):
        self.host = f"{base}/ubiops/{version}"
        self.project = project
        self.client = Client(self.host, f"Token {token}")
        self.token, self.strangers_token = token, strangers_token
        self.native = Native(base, project, token)
        self.receiver = Receiver()
        self.check = Checks()

    def create(self, name, url=None, **more):
        fields = {"object_type": "deployment", "object_name": "d1", "event": "deployment_request_completed", **more}
        draft = WebhookCreate(name=name, url=url or self.receiver.url(f"/{name}"), **fields)
        return self.client.webhooks_create(self.project, draft)

    def update(self, webhook, **fields):
        return self.client.webhooks_update(self.project, webhook, WebhookUpdate(**fields))

    def names(self, **filters):
        return sorted(webhook.name for webhook in self.client.webhooks_list(self.project, **filters))

    def ended_test(self, **fields):
        made = self.client.webhook_tests_create(self.project, WebhookTestCreate(**fields))
        self.check.equal((made.status, made.error_message), ("pending", None), "a new test")

        def look():
            test = self.client.webhook_tests_get(self.project, made.id)
            return test if test.status != "pending" else None

        return eventually("the test ends", look)


def header(key, value=None, protected=False):
    return WebhookHeader(key=key, value=value, protected=protected)


@scenario
def a_new_webhook_has_the_documented_defaults(w):
    made = w.create("defaults")
    for field, expected in {
        "name": "defaults", "object_type": "deployment", "object_name": "d1", "version": None, "event": "deployment_request_completed", "description": "",
        "labels": {}, "timeout": 10, "enabled": True, "retry": False, "include_result": False, "headers": [],
    }.items():
        w.check.equal(getattr(made, field), expected, field)
    w.check.equal(len(made.id), 36, "the id is a UUID")
    w.check.true(made.creation_date is not None and made.last_updated is not None, "both dates are read")
    w.check.equal(w.client.webhooks_get(w.project, "defaults"), made, "a read shows what was made")
    w.client.webhooks_delete(w.project, "defaults")


@scenario
def every_field_is_stored(w):
    fields = {
        "object_type": "pipeline", "object_name": "p1", "version": "v3", "event": "pipeline_request_failed", "description": "Größe 日本", "labels": {"a": "b", "c": "d"},
        "timeout": 30, "enabled": False, "retry": True, "include_result": True,
    }
    made = w.create("every field / ü", url="https://r.example/h?x=1", headers=[header("X-A", "1"), header("X-B", "2", True)], **fields)
    for field, expected in fields.items():
        w.check.equal(getattr(made, field), expected, field)
    read = w.client.webhooks_get(w.project, "every field / ü")
    w.check.equal(read.url, "https://r.example/h?x=1", "url")
    w.check.equal([(h.key, h.value, h.protected) for h in read.headers], [("X-A", "1", False), ("X-B", None, True)], "headers")
    w.client.webhooks_delete(w.project, "every field / ü")


@scenario
def lists_are_filtered_by_label_object_and_event(w):
    w.create("l1", labels={"team": "geo", "env": "prod"})
    w.create("l2", labels={"team": "geo"}, event="deployment_request_failed")
    w.create("l3", object_type="pipeline", object_name="p", event="pipeline_request_finished")
    for filters, expected in [
        ({}, ["l1", "l2", "l3"]),
        ({"labels": "team:geo"}, ["l1", "l2"]),
        ({"labels": "team:geo,env:prod"}, ["l1"]),
        ({"labels": "team:moon"}, []),
        ({"object_type": "pipeline"}, ["l3"]),
        ({"event": "deployment_request_failed"}, ["l2"]),
        ({"event": "deployment_request_failed", "labels": "env:prod"}, []),
    ]:
        w.check.equal(w.names(**filters), expected, str(filters))
    w.check.refused(400, lambda: w.names(labels="nocolon"))
    for name in ("l1", "l2", "l3"):
        w.client.webhooks_delete(w.project, name)


@scenario
def an_update_changes_only_what_was_sent(w):
    made = w.create("before", labels={"a": "b"}, description="one", headers=[header("X-A", "1")])
    changed = w.update("before", description="two")
    for field in ("id", "name", "url", "labels", "timeout", "event", "headers", "creation_date", "object_name"):
        w.check.equal(getattr(changed, field), getattr(made, field), field)
    w.check.equal(changed.description, "two", "description")
    w.check.true(changed.last_updated >= made.last_updated, "last_updated moves on")
    renamed = w.update("before", name="after", timeout=5, enabled=False, retry=True, include_result=True, labels={}, event="deployment_request_started")
    w.check.equal((renamed.name, renamed.timeout, renamed.enabled, renamed.retry, renamed.include_result), ("after", 5, False, True, True), "several at once")
    w.check.equal((renamed.labels, renamed.event, renamed.description), ({}, "deployment_request_started", "two"), "cleared, changed, kept")
    w.check.refused(404, lambda: w.client.webhooks_get(w.project, "before"))
    w.client.webhooks_delete(w.project, "after")


@scenario
def protected_headers_are_hidden_kept_and_removed(w):
    w.create("p", headers=[header("Authorization", "Token 9", True), header("X-Open", "1")])
    read = w.client.webhooks_get(w.project, "p")
    w.check.equal([(h.key, h.value, h.protected) for h in read.headers], [("Authorization", None, True), ("X-Open", "1", False)], "a read hides the value")
    # The client drops a value of None from what it sends (docs/wire.md A.3).
    w.update("p", headers=[header("Authorization", None, True), header("X-Open", "2")])
    w.native.post("deployment_request_completed", {"request_id": "r", "status": "completed"})
    sent, _ = w.receiver.received("/p", 1)[0]
    sent = {key.lower(): value for key, value in sent.items()}
    w.check.equal((sent.get("authorization"), sent.get("x-open")), ("Token 9", "2"), "the kept value is sent")
    w.update("p", headers=[header("X-Open", "3")])
    w.native.post("deployment_request_completed", {"request_id": "r", "status": "completed"})
    sent, _ = w.receiver.received("/p", 2)[1]
    w.check.true("authorization" not in {key.lower() for key in sent}, "a header that is left out is removed")
    w.check.refused(400, lambda: w.update("p", headers=[header("X-New", None, True)]), "value")
    w.check.refused(400, lambda: w.create("p2", headers=[header("X-New", None, True)]), "value")
    w.update("p", headers=[])
    w.check.equal(w.client.webhooks_get(w.project, "p").headers, [], "an empty list clears")
    w.client.webhooks_delete(w.project, "p")


@scenario
def deleted_is_gone(w):
    w.create("gone")
    w.check.equal(w.client.webhooks_delete(w.project, "gone"), None, "a deletion answers nothing")
    w.check.refused(404, lambda: w.client.webhooks_get(w.project, "gone"))
    w.check.refused(404, lambda: w.client.webhooks_delete(w.project, "gone"))
    w.check.refused(404, lambda: w.update("gone", retry=True))
    w.check.true("gone" not in w.names(), "the list does not show it")


@scenario
def bad_input_is_refused_with_words(w):
    w.create("taken")
    for more, words in [
        ({"event": "deployment_request_exploded"}, ["event"]),
        ({"event": "pipeline_request_failed"}, ["event"]),
        ({"object_type": "planet"}, ["object_type"]),
        ({"timeout": 0}, ["timeout"]),
        ({"timeout": 31}, ["timeout"]),
        ({"url": "nonsense"}, ["url"]),
        ({"url": "ftp://r.example/"}, ["url"]),
        ({"timeout": 99, "event": "x", "url": "y"}, ["timeout", "event", "url"]),
        ({"headers": [header("webhook-id", "1")]}, ["key"]),
    ]:
        w.check.refused(400, lambda more=more: w.create("bad", **more), *words)
    w.check.refused((400, 409), lambda: w.create("taken"), "name")
    w.create("second")
    w.check.refused((400, 409), lambda: w.update("second", name="taken"))
    w.check.refused(400, lambda: w.update("second", name="x" * 65), "name")
    w.check.refused(400, lambda: w.update("second", event="pipeline_request_failed"), "event")
    w.check.refused(400, lambda: w.update("second", timeout=31), "timeout")
    w.check.caught_by_client(lambda: w.create("x" * 65))
    # Newer releases refuse this themselves (docs/wire.md A.3).
    w.check.refused_or_caught(400, lambda: w.create("d", description="x" * 401), "description")
    w.check.equal(w.names(), ["second", "taken"], "nothing was stored")
    for name in ("taken", "second"):
        w.client.webhooks_delete(w.project, name)


@scenario
def tokens_and_projects_are_checked(w):
    for token, status in [("Token nonsense", (401, 403)), ("Token " + w.token[:-1], (401, 403)), ("Token " + w.strangers_token, 404)]:
        client = Client(w.host, token)
        w.check.refused(status, lambda client=client: client.webhooks_list(w.project))
        w.check.refused(status, lambda client=client: client.webhooks_get(w.project, "x"))
        w.check.refused(status, lambda client=client: client.webhooks_delete(w.project, "x"))
    w.check.refused(404, lambda: w.client.webhooks_list("no-such-project"))
    # A token without a word before it gets one from the client (docs/wire.md A.1).
    w.check.equal(Client(w.host, w.token).webhooks_list(w.project), [], "a bare token works")


@scenario
def callbacks_carry_the_documented_keys(w):
    w.create("keys")
    w.create("finished", event="deployment_request_finished", include_result=True)
    w.create("pipe", object_type="pipeline", object_name="p1", version="v2", event="pipeline_request_failed")
    data = {"request_id": "r1", "status": "completed", "result": {"n": 1}, "deployment_id": "i1", "deployment_version_id": "i2", "text": "Done."}
    w.native.post("deployment_request_completed", data)
    _, body = w.receiver.received("/keys", 1)[0]
    expected = {"event": "deployment_request_completed", "deployment_id": "i1", "deployment_name": "d1", "deployment_version_id": "i2", "deployment_version_name": "v1",
                "request_id": "r1", "status": "completed", "text": "Done."}
    w.check.equal(body, expected, "completed")
    _, body = w.receiver.received("/finished", 1)[0]
    w.check.equal(body, {**expected, "event": "deployment_request_finished", "result": {"n": 1}}, "finished fires on completed")
    w.native.post("deployment_request_failed", {"request_id": "r2", "status": "failed"})
    _, body = w.receiver.received("/finished", 2)[1]
    w.check.equal((body["event"], body["status"], body["deployment_id"]), ("deployment_request_finished", "failed", None), "finished fires on failed")
    w.check.true("result" not in body, "no result where the event has none")
    w.native.post("pipeline_request_failed", {"request_id": "r3", "status": "failed"}, object_type="pipeline", name="p1", version="v2")
    _, body = w.receiver.received("/pipe", 1)[0]
    w.check.equal((body["pipeline_name"], body["pipeline_version_name"], body["status"]), ("p1", "v2", "failed"), "pipelines say pipeline_")
    w.check.true(isinstance(body["text"], str) and body["text"], "there is always a sentence")
    w.native.post("pipeline_request_failed", {"request_id": "r4", "status": "failed"}, object_type="pipeline", name="p1", version="v9")
    w.native.post("deployment_request_started", {"request_id": "r5", "status": "processing"})
    w.check.equal(len(w.receiver.calls("/pipe")), 1, "another version is not heard")
    for name in ("keys", "finished", "pipe"):
        w.client.webhooks_delete(w.project, name)


@scenario
def a_result_is_included_up_to_16_kb(w):
    w.create("result", include_result=True)
    w.create("without")
    for count, (size, included) in enumerate([(100, True), (15_998, True), (15_999, False), (60_000, False)], 1):
        w.native.post("deployment_request_completed", {"request_id": "r", "status": "completed", "result": "x" * size})
        _, body = w.receiver.received("/result", count)[count - 1]
        w.check.equal("result" in body, included, f"{size} characters")
        _, body = w.receiver.received("/without", count)[count - 1]
        w.check.true("result" not in body, "not asked for")
    for name in ("result", "without"):
        w.client.webhooks_delete(w.project, name)


@scenario
def a_redirect_counts_as_delivered(w):
    w.receiver.answers["/moved"] = [302]
    w.create("moved")
    event = w.native.post("deployment_request_completed", {"request_id": "r", "status": "completed"})
    delivery = w.native.delivery(event["id"], "moved")
    w.check.equal((delivery["state"], delivery["last_status"]), ("delivered", 302), "3xx")
    w.check.true(all(path != "/elsewhere" for _, path, _, _ in w.receiver.requests), "not followed")
    w.client.webhooks_delete(w.project, "moved")


@scenario
def retry_decides_whether_a_failure_is_repeated(w):
    w.receiver.answers["/again"] = [500, 200]
    w.receiver.answers["/once"] = [500, 200]
    w.create("again", retry=True)
    w.create("once", retry=False)
    event = w.native.post("deployment_request_completed", {"request_id": "r", "status": "completed"})
    w.check.equal(w.native.delivery(event["id"], "once")["state"], "dead", "one attempt is all")
    first, second = w.receiver.received("/again", 2)
    w.check.equal((first[1], first[0]["webhook-id"]), (second[1], second[0]["webhook-id"]), "a retry repeats body and id")
    w.check.equal(len(w.receiver.calls("/once")), 1, "no second call")
    for name in ("again", "once"):
        w.client.webhooks_delete(w.project, name)


@scenario
def timeout_ends_a_call(w):
    w.receiver.answers["/slow"] = ["hang"]
    w.create("slow", timeout=1)
    event = w.native.post("deployment_request_completed", {"request_id": "r", "status": "completed"})
    delivery = w.native.delivery(event["id"], "slow")
    w.check.equal((delivery["state"], delivery["last_status"]), ("dead", None), "a timeout is a failure")
    w.client.webhooks_delete(w.project, "slow")


@scenario
def tests_go_from_pending_to_their_end(w):
    target = {"object_type": "deployment", "object_name": "d1", "event": "deployment_request_completed"}
    w.receiver.answers["/t-302"] = [302]
    w.receiver.answers["/t-500"] = [500]
    w.receiver.answers["/t-hang"] = ["hang"]
    for path in ("/t-200", "/t-302"):
        ended = w.ended_test(url=w.receiver.url(path), headers=[header("X-T", "1", True)], **target)
        w.check.equal((ended.status, ended.error_message), ("completed", None), path)
    sent, body = w.receiver.received("/t-200", 1)[0]
    w.check.equal(({key.lower(): value for key, value in sent.items()}.get("x-t"), body["event"], body["deployment_name"]), ("1", "deployment_request_completed", "d1"), "a real call")
    for path in ("/t-500", "/t-hang"):
        ended = w.ended_test(url=w.receiver.url(path), timeout=1, **target)
        w.check.equal(ended.status, "failed", path)
        w.check.true(isinstance(ended.error_message, str) and ended.error_message, "a failure says why")
    w.receiver.answers["/t-again"] = [503, 500, 200]
    ended = w.ended_test(url=w.receiver.url("/t-again"), retry=True, **target)
    w.check.equal((ended.status, ended.error_message, len(w.receiver.received("/t-again", 3))), ("completed", None, 3), "it is retried if it fails")
    w.receiver.answers["/t-gone"] = [410]
    ended = w.ended_test(url=w.receiver.url("/t-gone"), retry=True, **target)
    w.check.equal((ended.status, len(w.receiver.received("/t-gone", 1))), ("failed", 1), "but not where the receiver is gone")
    ended = w.ended_test(url="http://127.0.0.1:1024/", version="v1", retry=False, include_result=True, **target)
    w.check.equal(ended.status, "failed", "nobody listens")
    create = w.client.webhook_tests_create
    w.check.refused(400, lambda: create(w.project, WebhookTestCreate(url="nonsense", **target)), "url")
    w.check.refused(400, lambda: create(w.project, WebhookTestCreate(url=w.receiver.url("/x"), timeout=31, **target)), "timeout")
    w.check.refused(400, lambda: create(w.project, WebhookTestCreate(url=w.receiver.url("/x"), **{**target, "event": "nonsense"})), "event")
    w.check.refused(404, lambda: w.client.webhook_tests_get(w.project, "00000000-0000-7000-8000-000000000000"))


def main():
    world = World(*sys.argv[1:])
    summary = run_all(world)
    summary |= {"client": release_of("ubiops"), "api": sys.argv[2], "operations": sorted(OPERATIONS)}
    print(json.dumps({**summary, "left": len(world.client.webhooks_list(world.project))}))


if __name__ == "__main__":
    main()
