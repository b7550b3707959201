"""Lets schemathesis loose on /openapi.json of a running Worker: `drive.py BASE ADMIN_TOKEN PROJECT SEED`.

How many cases are tried stands in schemathesis.toml: a count, never a time, so that every machine tries the same.

Fails where schemathesis does; ends with one line of JSON: how many operations were tested with how many cases.
"""

import json
import os
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main() -> None:
    base, token, project, seed = sys.argv[1:]
    root = f"{base}/v1/projects/{project}"

    def call(method: str, path: str, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(root + path, data=data, method=method)
        request.add_header("authorization", f"Bearer {token}")
        request.add_header("content-type", "application/json")
        with urllib.request.urlopen(request, timeout=60) as answer:
            text = answer.read()
            return json.loads(text) if text else None

    things = make_things(call)
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        environment = os.environ | {
            "POSTERN_TOKEN": token, "POSTERN_PROJECT": project, "POSTERN_THINGS": json.dumps(things),
            "SCHEMATHESIS_HOOKS": str(HERE / "hooks.py"), "PYTHONPATH": str(HERE), "NO_COLOR": "1",
        }
        command = [
            sys.executable, "-c", "import sys; from schemathesis.cli import schemathesis; sys.argv[0] = 'schemathesis'; schemathesis()",
            "--config-file", str(HERE / "schemathesis.toml"), "run", f"{base}/openapi.json",
            "--seed", seed, "--report", "json", "--report-json-path", str(report),
        ]
        run = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)
        print(run.stdout)
        print(run.stderr, file=sys.stderr)
        if run.returncode != 0:
            sys.exit(f"schemathesis found something, or broke off: {run.returncode}")
        told = json.loads(report.read_text())
    keys = ["schemathesis_version", "seed", "operations", "phases", "test_cases", "failures", "errors"]
    print(json.dumps({key: told[key] for key in keys}))


def make_things(call) -> dict:
    """One of each thing that a path can name; what the operations then do to them is theirs."""
    inbox = call("POST", "/inboxes", {"name": "receiver"})
    call("POST", "/webhooks", {"name": "w", "url": inbox["url"], "events": ["*"]})
    call("POST", "/event-types", {"name": "order.paid"})
    event = call("POST", "/events", {"type": "order.paid", "data": {"order": "o-1"}})
    deliveries = [item["id"] for item in call("GET", "/deliveries")["items"]]
    test = call("POST", "/webhooks/w/test", {})
    spare = call("POST", "/inboxes", {"name": "spare"})
    runs = [call("POST", "/runs", {"chain": {"n": n}})["id"] for n in range(3)]
    call("POST", "/runs/claim", {})
    replay = call("POST", "/replays", {"webhook": "w"})
    of_webhook = ["getWebhook", "updateWebhook", "getWebhookSecret", "rotateWebhookSecret", "pauseWebhook", "resumeWebhook", "testWebhook"]
    things = {operation: ["w"] for operation in of_webhook}
    things |= {operation: ["order.paid"] for operation in ["getEventType", "updateEventType"]}
    things |= {operation: deliveries for operation in ["getDelivery", "retryDelivery", "cancelDelivery"]}
    things |= {operation: [spare["id"]] for operation in ["getInbox", "updateInbox", "listInboxRequests", "clearInboxRequests"]}
    things |= {operation: runs for operation in ["getRun", "updateRun", "finishRun", "terminateRun"]}
    things |= {operation: [replay["id"]] for operation in ["getReplay", "cancelReplay"]}
    return things | {"getEvent": [event["id"]], "getTest": [test["id"]]}


main()
