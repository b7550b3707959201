"""What the actinia scenarios stand on besides the rig: a receiver with locked and missing paths, and runs made natively."""

import base64
import json

import rig

LOGIN = "Basic " + base64.b64encode(b"u:p:1").decode()


class Receiver(rig.Receiver):
    """Below /missing it answers 404, below /locked it wants u:p:1."""

    def status_for(self, path, headers):
        if path.startswith("/missing"):
            return 404
        return 401 if path.startswith("/locked") and headers.get("authorization") != LOGIN else 200

    def of(self, path, method):
        return [body for _, body in self.calls(path, method)]

    def told(self, path):
        """The first status that was posted to a path, decoded twice."""
        _, body = self.received(path, 1)[0]
        text = json.loads(body)
        assert isinstance(text, str), f"not a JSON string: {body!r}"
        return json.loads(text)


class Native(rig.Native):
    def sleeping(self, seconds):
        """A run that the executor sleeps for; gives its id in actinia's words."""
        step = {"id": "1", "exe": "/bin/sleep", "params": [str(seconds)]}
        made = self.call("POST", "runs", {"chain": {"version": "1", "list": [step]}})
        return "resource_id-" + made["id"].removeprefix("run_")
