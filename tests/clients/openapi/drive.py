"""Generates a client from /openapi.json of a running Worker with openapi-python-client, and works with it:
`drive.py BASE ADMIN_TOKEN PROJECT`.

Makes a project, a webhook, events, walks through a list by its cursor and has a bad webhook refused. Every warning of the
generator is an error. Then datamodel-code-generator makes its models of the same document, and what was answered is read by
them. Ends with one line of JSON.
"""

import datetime
import importlib
import json
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

from rig import Checks

HERE = Path(__file__).resolve().parent


def main():
    base, admin_token, name = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        document = Path(folder) / "openapi.json"
        with urllib.request.urlopen(f"{base}/openapi.json", timeout=60) as answer:
            document.write_bytes(answer.read())
        generate(folder, "openapi_python_client", [
            "generate", "--path", str(document), "--output-path", f"{folder}/postern_client", "--meta", "none", "--fail-on-warning",
            "--config", str(HERE / "config.yml"),
        ])
        generate(folder, "datamodel_code_generator", [
            "--input", str(document), "--input-file-type", "openapi", "--output", f"{folder}/postern_models.py",
            "--output-model-type", "pydantic_v2.BaseModel", "--formatters", "builtin",
        ])
        sys.path.insert(0, folder)
        checks = Checks()
        told = drive(base, admin_token, name, checks)
        read_by_models(told, checks)
        print(json.dumps({"client": "openapi-python-client", "checks": checks.count, "events": len(told["events"])}))


def generate(folder, module, arguments):
    run = subprocess.run([sys.executable, "-m", module, *arguments], cwd=folder, capture_output=True, text=True, check=False)
    output = run.stdout + run.stderr
    if run.returncode != 0 or "warning" in output.lower():
        sys.exit(f"{module} complains ({run.returncode}):\n{output}")


def drive(base, admin_token, name, checks):
    client = importlib.import_module("postern_client")
    models = importlib.import_module("postern_client.models")
    types = importlib.import_module("postern_client.types")

    def call(operation, *arguments, by, **more):
        """The answer to an operation, such as `webhooks.create_webhook`."""
        module = importlib.import_module(f"postern_client.api.{operation}")
        answer = module.sync_detailed(*arguments, client=by, **more)
        assert answer.parsed is not None, f"{operation}: {answer.status_code} {answer.content}"
        return answer

    def signed_in(token):
        return client.AuthenticatedClient(base_url=base, token=token, timeout=60)

    admin = signed_in(admin_token)
    answer = call("projects.create_project", by=admin, body=models.ProjectCreate(name=name))
    checks.equal(int(answer.status_code), 201, "a project")
    checks.true(isinstance(answer.parsed, models.ProjectCreated), "a project that was created")
    checks.equal(answer.parsed.project.name, name)
    own = signed_in(answer.parsed.token)

    inbox = call("inboxes.create_inbox", name, by=own, body=models.InboxCreate(name="receiver")).parsed
    condition = models.AndCondition(and_=[
        models.FieldCondition(field="total", gte=1),
        models.NotCondition(not_=models.FieldCondition(field="total", eq=13)),
    ])
    draft = models.WebhookCreate(
        name="shop", url=inbox.url, events=["order.*"], contract=models.Contract.STANDARD, filter_=condition,
        rate_limit=models.RateLimitInput(calls=1_000, per_s=1), headers=[models.HeaderInput(key="x-shop", value="1")],
    )
    webhook = call("webhooks.create_webhook", name, by=own, body=draft).parsed
    checks.true(isinstance(webhook, models.WebhookView), "a webhook that was created")
    checks.equal((webhook.name, webhook.contract, webhook.version), ("shop", models.Contract.STANDARD, 1))
    checks.equal(webhook.rate_limit.calls, 1_000)
    checks.true(isinstance(webhook.created_at, datetime.datetime) and webhook.created_at.tzinfo is not None, "a time with its zone")

    posted = []
    for number in range(1, 6):
        event = models.EventCreate(
            type_="order.paid", data={"total": number, "nested": [None, {"a": "b"}]}, idempotency_key=f"k-{number}",
            object_=models.EventObjectInput(type_="order", name=f"o-{number}"),
        )
        accepted = call("events.create_event", name, by=own, body=event).parsed
        checks.equal((accepted.deliveries, accepted.duplicate), (1, False))
        posted.append(accepted.id)
    batch = models.EventBatch(events=[models.EventCreate(type_="order.sent", data={"total": 13})])
    checks.equal(call("events.create_events", name, by=own, body=batch).parsed.items[0].deliveries, 0, "a batch of what the filter refuses")

    found, cursor, pages = [], types.UNSET, 0
    while True:
        page = call("events.list_events", name, by=own, limit=2, cursor=cursor, type_="order.paid").parsed
        found += page.items
        pages += 1
        if page.next_ is None:
            break
        cursor = page.next_
    checks.equal([event.id for event in found], posted[::-1], "every event once, newest first")
    checks.true(pages >= 3, f"{pages} pages")

    full = call("events.get_event", name, posted[0], by=own)
    checks.equal(full.parsed.data, {"total": 1, "nested": [None, {"a": "b"}]})
    lines = call("events.export_events", name, by=own).parsed.splitlines()
    checks.equal([json.loads(line)["id"] for line in lines[:5]], posted)

    refused = call("webhooks.create_webhook", name, by=own, body=models.WebhookCreate(name="bad", url="gopher://x", events=[]))
    checks.equal(int(refused.status_code), 422, "a bad webhook")
    checks.true(isinstance(refused.parsed, models.Problem), "a problem")
    checks.equal({fault.pointer for fault in refused.parsed.errors}, {"/url", "/events"})
    missing = call("webhooks.get_webhook", name, "nobody", by=own)
    checks.equal((int(missing.status_code), missing.parsed.status), (404, 404))
    return {"webhook": webhook.to_dict(), "events": [event.to_dict() for event in found], "problem": refused.parsed.to_dict()}


def read_by_models(told, checks):
    models = importlib.import_module("postern_models")
    checks.equal(models.WebhookView.model_validate(told["webhook"]).name, "shop")
    for event in told["events"]:
        checks.equal(models.EventView.model_validate(event).id, event["id"])
    checks.equal(models.Problem.model_validate(told["problem"]).status, 422)
    checks.true(issubclass(models.StandardCallback, models.BaseModel), "what receivers get")


main()
