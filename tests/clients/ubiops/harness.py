"""What the UbiOps scenarios stand on besides the rig: checks of the client's refusals, and the ledger's view."""

import json

import rig
import ubiops


class Checks(rig.Checks):
    def refused(self, status, call, *words):
        """The call fails with an ApiException of this status whose JSON `error` mentions every word."""
        self.count += 1
        statuses = status if isinstance(status, tuple) else (status,)
        try:
            answer = call()
        except ubiops.ApiException as refusal:
            assert refusal.status in statuses, f"{refusal.status} {refusal.body}"
            error = json.loads(refusal.body)["error"]
            for word in words:
                assert word in error, f"{error!r} does not mention {word!r}"
            assert error in str(refusal), f"the client shows {str(refusal)!r}"
            return
        raise AssertionError(f"expected {statuses}, got {answer!r}")

    def refused_or_caught(self, status, call, *words):
        """Refused by the server, or by the client before anything is sent."""
        try:
            self.refused(status, call, *words)
        except (ValueError, TypeError):
            return

    def caught_by_client(self, call):
        """The client itself refuses, before anything is sent."""
        self.count += 1
        try:
            call()
        except (ValueError, TypeError):
            return
        raise AssertionError("the client let it pass")


class Receiver(rig.ScriptedReceiver):
    def calls(self, path, method="POST"):
        """What came to `path`, with the body as the JSON that it is."""
        return [(headers, json.loads(body)) for headers, body in super().calls(path, method)]


class Native(rig.Native):
    def post(self, kind, data, object_type="deployment", name="d1", version="v1"):
        return self.event(kind, data, object={"type": object_type, "name": name, "version": version})

    def delivery(self, event_id, webhook):
        """The delivery of the event to the webhook, once its first attempt has ended."""

        def look():
            for item in self.call("GET", f"deliveries?webhook={webhook}&limit=200")["items"]:
                if item["event_id"] == event_id and item["attempts"] > 0:
                    return item
            return None

        return rig.eventually(f"the delivery to {webhook} has an attempt", look)
