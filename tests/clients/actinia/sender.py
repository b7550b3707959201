"""Lets actinia's own code call an inbox: its probe (actinia-core) and its POST (actinia-processing-lib).

usage: sender.py INBOX_URL

Both packages need GRASS GIS, a key-value store and much more at import. They are installed without their dependencies, and
every module but the two that call webhooks is replaced by an empty one; what runs here is their code. The last line printed
is a JSON summary.
"""

import importlib.abc
import importlib.machinery
import json
import pickle
import sys
import types
from importlib.metadata import version as release_of

#: The modules that are real, with the packages above them.
REAL = {
    "actinia_core",
    "actinia_core.core",
    "actinia_core.core.common",
    "actinia_core.core.common.process_chain",
    "actinia_processing_lib",
    "actinia_processing_lib.ephemeral_processing",
    "actinia_processing_lib.exceptions",
}


class Empty(types.ModuleType):
    """A module that has whatever is asked of it: an empty class."""

    __path__ = []

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        made = type(name, (), {})
        setattr(self, name, made)
        return made


class Stub(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path, target=None):
        is_theirs = name.split(".")[0] in ("actinia_core", "actinia_processing_lib", "flask", "grass")
        return importlib.machinery.ModuleSpec(name, self, is_package=True) if is_theirs and name not in REAL else None

    def create_module(self, spec):
        return Empty(spec.name)

    def exec_module(self, module):
        pass


sys.meta_path.insert(0, Stub())

from actinia_core.core.common.process_chain import ProcessChainConverter  # noqa: E402
from actinia_processing_lib import ephemeral_processing  # noqa: E402

# Flask's dumps is the standard library's with a few more types, none of which is used here.
ephemeral_processing.json = json


class Silent:
    def __getattr__(self, _name):
        return lambda *_arguments, **_named: None


def main():
    url = sys.argv[1]
    webhooks = {"finished": url, "update": url, "auth": "user:pass:word"}
    converter = ProcessChainConverter.__new__(ProcessChainConverter)
    for kind in ("finished", "update"):
        converter._check_if_webhook_exists(url, {"webhooks": webhooks}, kind)

    processing = ephemeral_processing.EphemeralProcessing.__new__(ephemeral_processing.EphemeralProcessing)
    processing.message_logger = Silent()
    processing.config = types.SimpleNamespace(WEBHOOK_RETRIES=6, WEBHOOK_SLEEP=0)
    processing.webhook_finished = processing.webhook_update = url
    processing.webhook_auth = converter.webhook_auth
    for kind, status in (("update", "running"), ("finished", "finished")):
        document = pickle.dumps((200, {"status": status, "message": "Größe \"1\"", "process_log": []}))
        processing._post_to_webhook(document, kind)
    print(json.dumps({"core": release_of("actinia-core"), "processing": release_of("actinia-processing-lib")}))


main()
