"""Drives UP42's own SDK through all of its webhook operations, with good and bad input.

usage: drive.py BASE STYLE PROJECT TOKEN STRANGERS_PROJECT STRANGERS_TOKEN

STYLE is `functions` (`up42.create_webhook(…)`, up to 1.1.1) or `records` (`up42.Webhook(…).save()`, from 1.0.4 on).
Each scenario is a function; the last line printed is a JSON summary.
"""

import inspect
import json
import sys
import warnings
from importlib.metadata import version as release_of

from harness import Checks, Wire, verify
from rig import Native, ScriptedReceiver, run_all, scenario

warnings.simplefilter("ignore")
RELEASE = tuple(int(part) for part in release_of("up42-py").split("."))
# The lookup of the newest release happens at the import (docs/wire.md B.1).
WIRE = Wire(sys.argv[1])

import up42  # noqa: E402

OPERATIONS = set()
UNKNOWN = "00000000-0000-7000-8000-000000000000"


def used(name):
    OPERATIONS.add(name)


class Functions:
    """The functions of the package and the methods of what they give."""

    def create(self, name, url, events, **more):
        used("create_webhook")
        return up42.create_webhook(name=name, url=url, events=events, **more).webhook_id

    def read(self, webhook_id):
        used("initialize_webhook")
        webhook = up42.initialize_webhook(webhook_id)
        used("info")
        found = dict(webhook.info)
        # From 1.0.4 on it is made of a record.
        return {"createdAt": found.get("created_at"), "updatedAt": found.get("updated_at"), **found}

    def update(self, webhook_id, **changes):
        webhook = up42.initialize_webhook(webhook_id)
        used("update")
        assert webhook.update(**changes) is webhook, "an update gives the webhook"

    def delete(self, webhook_id):
        webhook = up42.initialize_webhook(webhook_id)
        used("delete")
        assert webhook.delete() is None

    def delete_what_is_gone(self, webhook_id):
        webhook = up42.initialize_webhook(webhook_id)
        webhook.delete()
        webhook.delete()

    def test(self, webhook_id):
        webhook = up42.initialize_webhook(webhook_id)
        used("trigger_test_events")
        return webhook.trigger_test_events()

    def names(self):
        used("get_webhooks")
        webhooks = up42.get_webhooks()
        described = up42.get_webhooks(return_json=True)
        assert [webhook.webhook_id for webhook in webhooks] == [webhook["id"] for webhook in described]
        return sorted(webhook["name"] for webhook in described)

    def events(self):
        used("get_webhook_events")
        return up42.get_webhook_events()


class Records:
    """`up42.Webhook` as a record that saves itself."""

    def create(self, name, url, events, **more):
        used("save")
        webhook = up42.Webhook(name=name, url=url, events=events, **more)
        webhook.save()
        assert webhook.created_at and webhook.updated_at
        return webhook.id

    def read(self, webhook_id):
        used("get")
        found = up42.Webhook.get(webhook_id)
        return {
            "id": found.id, "name": found.name, "url": found.url, "events": found.events, "secret": found.secret, "active": found.active,
            "createdAt": found.created_at, "updatedAt": found.updated_at,
        }

    def update(self, webhook_id, **changes):
        webhook = up42.Webhook.get(webhook_id)
        for field, value in changes.items():
            setattr(webhook, field, value)
        webhook.save()

    def delete(self, webhook_id):
        webhook = up42.Webhook.get(webhook_id)
        used("delete")
        assert webhook.delete() is None

    def delete_what_is_gone(self, webhook_id):
        webhook = up42.Webhook.get(webhook_id)
        webhook.delete()
        webhook.delete()

    def test(self, webhook_id):
        webhook = up42.Webhook.get(webhook_id)
        used("trigger_test_events")
        return webhook.trigger_test_events()

    def names(self):
        used("all")
        return sorted(webhook.name for webhook in up42.Webhook.all())

    def events(self):
        used("get_webhook_events")
        return up42.Webhook.get_webhook_events()


class World:
    def __init__(self, base, style, project, token, strangers_project, strangers_token):
        self.client = {"functions": Functions, "records": Records}[style]()
        self.project, self.token = project, token
        self.strangers_project, self.strangers_token = strangers_project, strangers_token
        self.native = Native(base, project, token)
        self.receiver = ScriptedReceiver()
        # Up to 0.37 an error shows what the server said.
        self.check = Checks(WIRE, shows_errors=RELEASE < (1, 0, 0))
        self.log_in()

    def log_in(self, project=None, token=None):
        used("authenticate")
        up42.authenticate(username=project or self.project, password=token or self.token)

    def create(self, name, events=("job.status",), **more):
        return self.client.create(name=name, url=more.pop("url", None) or self.receiver.url(f"/{name}"), events=list(events), **more)

    def new_token(self, role):
        return self.native.call("POST", "tokens", {"name": f"for {role}", "role": role})


@scenario
def a_login_needs_a_token_of_the_project(w):
    w.check.login_refused(lambda: w.log_in(token="nonsense"))
    w.check.login_refused(lambda: w.log_in(token=w.token[:-1] + "b"))
    w.check.login_refused(lambda: w.log_in(token=w.strangers_token))
    w.check.login_refused(lambda: w.log_in(project="no-such-project"))
    if "project_api_key" in inspect.signature(up42.authenticate).parameters:
        up42.authenticate(project_id=w.project, project_api_key=w.token)
        w.check.equal(w.client.names(), [], "a project's credentials open its workspace")
    w.log_in()
    w.check.equal(w.client.names(), [], "a user's credentials open the workspace")


@scenario
def the_events_are_those_of_up42(w):
    events = w.client.events()
    w.check.equal([event["name"] for event in events], ["job.status", "order.status"], "names")
    for event in events:
        w.check.equal(sorted(event), ["category", "description", "documentation", "name", "title"], "fields")


@scenario
def a_new_webhook_reads_as_it_was_written(w):
    made = w.create("least")
    read = w.client.read(made)
    w.check.equal(len(made), 36, "the id is a UUID")
    for field, expected in {"id": made, "name": "least", "url": w.receiver.url("/least"), "events": ["job.status"], "active": False, "secret": ""}.items():
        w.check.equal(read[field], expected, field)
    w.check.true(read["createdAt"] and read["updatedAt"], "both times are there")
    fields = {"url": "https://r.example/h?x=1", "events": ["job.status", "order.status"], "active": True, "secret": "Größe 日本 / ü"}
    most = w.create("every field / ü", **fields)
    read = w.client.read(most)
    for field, expected in fields.items():
        w.check.equal(read[field], expected, field)
    w.check.equal(w.client.names(), ["every field / ü", "least"], "both are listed")
    for webhook in (made, most):
        w.client.delete(webhook)


@scenario
def an_update_changes_what_it_names(w):
    made = w.create("before", secret="hush", active=True)
    before = w.client.read(made)
    w.client.update(made, name="after")
    after = w.client.read(made)
    for field in ("id", "url", "events", "active", "secret", "createdAt"):
        w.check.equal(after[field], before[field], field)
    w.check.equal(after["name"], "after", "name")
    w.check.true(after["updatedAt"] > before["updatedAt"], "updatedAt moves on")
    w.client.update(made, url=w.receiver.url("/other"), events=["order.status"], active=False, secret="new")
    after = w.client.read(made)
    w.check.equal((after["url"], after["events"], after["active"], after["secret"]), (w.receiver.url("/other"), ["order.status"], False, "new"), "all at once")
    w.client.delete(made)


@scenario
def a_secret_can_be_taken_away(w):
    made = w.create("bare", secret="hush")
    w.check.equal(w.client.read(made)["secret"], "hush", "a secret")
    w.client.update(made, secret="")
    # Functions made of records take an empty text for "unchanged" (docs/wire.md B.3).
    is_kept = isinstance(w.client, Functions) and RELEASE >= (1, 0, 4)
    w.check.equal(w.client.read(made)["secret"], "hush" if is_kept else "", "none")
    if isinstance(w.client, Records):
        w.client.update(made, secret="hush")
        w.client.update(made, secret=None)
        w.check.equal(w.client.read(made)["secret"], "", "None is none")
    w.client.delete(made)


@scenario
def callbacks_are_what_up42_s_receivers_expect(w):
    secret = "any text, ü"
    webhooks = [
        w.create("signed", secret=secret, active=True),
        w.create("plain", active=True),
        w.create("inactive", active=False),
        w.create("both", events=["job.status", "order.status"], secret=secret, active=True),
    ]
    w.native.event("job.status", {"status": "RUNNING", "jobId": "j1"})
    headers, body = w.receiver.received("/signed", 1)[0]
    w.check.equal(json.loads(body), {"event": "job.status", "body": {"status": "RUNNING", "jobId": "j1"}}, "payload")
    verify(headers, body, secret)
    for change in (lambda: verify(headers, body, "another"), lambda: verify(headers, body + b" ", secret)):
        try:
            change()
        except AssertionError:
            w.check.count += 1
        else:
            raise SystemExit("a forged callback passes")
    headers, body = w.receiver.received("/plain", 1)[0]
    w.check.true(not {"signature", "signature-input", "digest"} & {key.lower() for key in headers}, "nothing is signed without a secret")
    w.native.event("order.status", {"status": "FULFILLED"})
    calls = w.receiver.received("/both", 2)
    w.check.equal(sorted(json.loads(body)["event"] for _, body in calls), ["job.status", "order.status"], "both events")
    for headers, body in calls:
        verify(headers, body, secret)
    w.check.equal((len(w.receiver.calls("/signed")), w.receiver.calls("/inactive")), (1, []), "who did not ask hears nothing")
    for webhook in webhooks:
        w.client.delete(webhook)


@scenario
def test_events_are_sent_at_once_and_counted(w):
    both = ["job.status", "order.status"]
    w.receiver.answers["/t-broken"] = [500]
    w.receiver.answers["/t-half"] = [200, 500]
    for name, events, succeeded in [("t-one", ["job.status"], 1), ("t-both", both, 2), ("t-broken", both, 0), ("t-half", both, 1)]:
        made = w.create(name, events=events, secret="hush", active=False)
        ran = w.client.test(made)
        w.check.equal((ran["testsRun"], ran["testsSucceeded"]), (len(events), succeeded), name)
        w.check.true(ran["startedAt"], "a time")
        calls = w.receiver.calls(f"/{name}")
        w.check.equal(sorted(json.loads(body)["event"] for _, body in calls), sorted(events), "one call for each event, done when the answer comes")
        for headers, body in calls:
            verify(headers, body, "hush")
        w.client.delete(made)


@scenario
def deleted_is_gone(w):
    made = w.create("gone")
    w.client.delete(made)
    w.check.refused(404, lambda: w.client.read(made), "webhook")
    w.check.equal(w.client.names(), [], "the list does not show it")
    again = w.create("gone")
    w.check.true(again != made, "a new one has an id of its own")
    w.check.refused(404, lambda: w.client.delete_what_is_gone(again), "webhook")
    w.check.refused(404, lambda: w.client.read(UNKNOWN))
    w.check.refused(404, lambda: w.client.read("nonsense"))


@scenario
def bad_input_is_refused_with_words(w):
    taken, second = w.create("taken"), w.create("second")
    for more, words in [
        ({"url": "nonsense"}, ["url"]),
        ({"url": "ftp://r.example/"}, ["url"]),
        ({"events": ["job.done"]}, ["events.0", "job.status, order.status"]),
        # The typo of UP42's documentation.
        ({"events": ["job.status, order.status"]}, ["events.0", "string of its own"]),
        ({"events": ["*"]}, ["events.0"]),
        ({"secret": "x" * 76}, ["secret", "75"]),
        ({"url": "nonsense", "events": ["x"], "secret": "x" * 76}, ["url", "events.0", "secret"]),
    ]:
        w.check.refused(400, lambda more=more: w.create("bad", **more), *words)
        w.check.refused(400, lambda more=more: w.client.update(second, **more), *words)
    w.check.refused(400, lambda: w.create("bad", events=[]), "events")
    w.check.refused(400, lambda: w.create(""), "name")
    w.check.refused(400, lambda: w.create("x" * 65, url=w.receiver.url("/x")), "name")
    w.check.refused(400, lambda: w.create("taken"), "exists already")
    w.check.refused(400, lambda: w.client.update(second, name="taken"), "exists already")
    w.check.refused(400, lambda: w.create("bad", active="yes"), "active")
    w.check.refused(400, lambda: w.create("bad", secret=5), "secret")
    w.check.equal(w.client.names(), ["second", "taken"], "nothing was stored")
    w.check.equal(w.client.read(second)["url"], w.receiver.url("/second"), "nothing was changed")
    for webhook in (taken, second):
        w.client.delete(webhook)


@scenario
def roles_and_workspaces_are_kept_apart(w):
    made = w.create("mine", secret="hush-hush")
    reader, publisher = w.new_token("read"), w.new_token("publish")
    w.log_in(token=reader["secret"])
    w.check.equal(w.client.names(), ["mine"], "a reader looks")
    w.check.equal(w.client.read(made)["secret"], None, "but sees no secret")
    w.check.true("hush-hush" not in WIRE.last.text, "nowhere")
    w.check.refused(403, lambda: w.create("more"), "role")
    w.check.refused(403, lambda: w.client.update(made, name="other"), "role")
    w.check.refused(403, lambda: w.client.delete(made), "role")
    w.check.refused(403, lambda: w.client.test(made), "role")
    w.log_in(token=publisher["secret"])
    w.check.refused(403, w.client.names, "role")
    w.log_in(project=w.strangers_project, token=w.strangers_token)
    w.check.equal(w.client.names(), [], "another workspace")
    w.check.refused(404, lambda: w.client.read(made))
    w.log_in(token=reader["secret"])
    w.native.call("DELETE", f"tokens/{reader['token']['id']}")
    if RELEASE >= (0, 37, 1):
        w.check.refused(401, w.client.names)
    else:
        # Older releases log in again first (docs/wire.md B.3), and that is refused.
        w.check.login_refused(w.client.names)
    w.log_in()
    w.client.delete(made)


def main():
    world = World(*sys.argv[1:])
    summary = run_all(world) | {
        "client": release_of("up42-py"),
        "style": sys.argv[2],
        "operations": sorted(OPERATIONS),
        "left": len(world.client.names()),
        # Old releases send a body with every GET; it is what it is tested for.
        "sends_bodies_with_get": any(WIRE.bodies("GET")),
        "failures": sorted({answer.status_code for _, _, answer in WIRE.exchanges if answer.status_code >= 500}),
    }
    print(json.dumps(summary))


if __name__ == "__main__":
    main()
