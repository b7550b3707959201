#!/usr/bin/env bash
# standardwebhooks for Python: sign() takes the clock face of a time and ignores its zone.
#
# Expected: sign(id, timestamp, body) signs the second that `timestamp` stands for. A datetime with a zone says which second that
#   is, in whatever zone it is written.
# Seen: the zone is replaced by UTC, not converted. One instant, written in UTC and in a zone of +02:00, gives two signatures; the
#   second is for a moment two hours later.
# Why it matters: a sender that writes local times (datetime.now().astimezone()) and sends the true Unix time in webhook-timestamp
#   is refused by every receiver outside of UTC and passes every test on a server that runs in UTC.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check standardwebhooks==1.1.0
"$folder/venv/bin/python" - <<'PY'
import datetime as dt
import importlib.metadata as metadata

from standardwebhooks.webhooks import Webhook

utc = dt.datetime(2026, 11, 30, 10, 0, 0, tzinfo=dt.timezone.utc)
local = utc.astimezone(dt.timezone(dt.timedelta(hours=2)))
later = utc + dt.timedelta(hours=2)
webhook = Webhook("whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz")
signed = {name: webhook.sign("msg_1", at, "{}") for name, at in [("utc", utc), ("local", local), ("later", later)]}
print("standardwebhooks", metadata.version("standardwebhooks"))
print("one instant:", utc == local, utc.isoformat(), local.isoformat())
print("signed alike:", signed["utc"] == signed["local"])
print("signed as two hours later:", signed["local"] == signed["later"])
assert utc == local and signed["utc"] != signed["local"] and signed["local"] == signed["later"], "the behaviour has changed"
PY
