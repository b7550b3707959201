"""Reads both exports of a project with DuckDB and Polars: `read.py BASE TOKEN PROJECT`.

The project has a webhook for `order.*`. Events are posted whose data is spread over lines and holds numbers that no number
type has; what the readers find must have every digit and every time. Ends with one line of JSON.
"""

import datetime
import json
import re
import sys
import tempfile
import urllib.request
from pathlib import Path

import duckdb
import polars

from rig import Checks, eventually

BIG = "12345678901234567890123"
# As a producer may write it: line feeds, tabs and carriage returns between tokens, and all that splits lines inside of strings.
SPREAD = '{\n  "order": "o-1",\r\n\t"big": ' + BIG + ',\n  "unsigned": 18446744073709551615,\n  "price": 1.10,\n  "text": "a\\nb\u2028c\u0085d"\n}'
# No float holds it, and Polars refuses a file with it where it is a number.
FAR = '[ 1e400,\n -0.0, 0.1000000000000000055511151231257827 ]'


def main():
    base, token, project = sys.argv[1:]
    root = f"{base}/v1/projects/{project}"

    def call(method, path, body=None, accept=None):
        request = urllib.request.Request(root + path, data=None if body is None else body.encode(), method=method)
        request.add_header("authorization", f"Bearer {token}")
        request.add_header("content-type", "application/json")
        if accept:
            request.add_header("accept", accept)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.headers["content-type"], answer.read().decode()

    checks = Checks()
    started = datetime.datetime.now(datetime.timezone.utc)
    posted = []
    for kind, data in [("order.paid", SPREAD), ("order.sent", FAR), ("order.paid", SPREAD), ("order.sent", "null")]:
        _type, answer = call("POST", "/events", '{"type": "' + kind + '",\n"labels":{"a":"b"}, "data":\n' + data + "\n}")
        posted.append(json.loads(answer)["id"])
    eventually("every delivery has an attempt", lambda: attempted(call) or None)

    with tempfile.TemporaryDirectory() as folder:
        def save(path, accept=None):
            content_type, text = call("GET", path, accept=accept)
            checks.true(text.endswith("\n"), "the last line ends")
            checks.equal(len(text.splitlines()), len(posted), f"{path}: lines, however somebody splits them")
            for line in text.splitlines():
                json.loads(line, object_pairs_hook=lambda pairs: once(checks, pairs))
            file = Path(folder) / (re.sub(r"\W", "-", path) + ".ndjson")
            file.write_text(text)
            return content_type, str(file)

        content_type, events = save("/events/export")
        checks.equal(content_type, "application/x-ndjson")
        checks.true("text/plain" in save("/events/export", accept="text/plain")[0], "text on request")
        _type, texts = save("/events/export?data=text")
        _type, deliveries = save("/deliveries/export")
        of_events(checks, events, texts, posted, started)
        of_deliveries(checks, deliveries, posted, started)
    print(json.dumps({"checks": checks.count, "events": len(posted), "duckdb": duckdb.__version__, "polars": polars.__version__}))


def attempted(call):
    items = json.loads(call("GET", "/deliveries")[1])["items"]
    return len(items) == 4 and all(item["attempts"] >= 1 for item in items)


def once(checks, pairs):
    names = [name for name, _value in pairs]
    checks.equal(len(names), len(set(names)), f"no field twice in {names}")
    return dict(pairs)


def is_recent(at, started):
    return started - datetime.timedelta(minutes=5) < at < started + datetime.timedelta(minutes=30)


def of_events(checks, events, texts, posted, started):
    # DuckDB, as it comes: times are times, and data of different shapes is JSON with its digits.
    rows = duckdb.sql(f"SELECT id, type, data, accepted_at, deliveries, typeof(accepted_at), typeof(deliveries) FROM read_json('{events}')")
    rows = rows.fetchall()
    checks.equal([row[0] for row in rows], posted)
    checks.equal(rows[0][5:], ("TIMESTAMP WITH TIME ZONE", "BIGINT"))
    checks.true(all(is_recent(row[3], started) and row[4] == 1 for row in rows), "times and counts")
    typed = duckdb.sql(f"SELECT data FROM read_json('{events}', columns = {{data: 'JSON'}})").fetchall()
    checks.true(BIG in typed[0][0] and "18446744073709551615" in typed[0][0], typed[0][0])

    # The data as text: byte for byte what was posted, in both.
    by_duckdb = [row[0] for row in duckdb.sql(f"SELECT data FROM read_json('{texts}', columns = {{data: 'VARCHAR'}})").fetchall()]
    checks.equal(by_duckdb, [SPREAD, FAR, SPREAD, "null"], "DuckDB keeps every digit")
    frame = polars.read_ndjson(texts, infer_schema_length=None)
    checks.equal(frame["data"].to_list(), [SPREAD, FAR, SPREAD, "null"], "Polars keeps every digit")
    checks.equal(frame.schema["deliveries"], polars.Int64)
    times = frame["accepted_at"].str.to_datetime(time_zone="UTC").to_list()
    checks.equal(times, [row[3].astimezone(datetime.timezone.utc) for row in rows], "Polars and DuckDB read the same times")


def of_deliveries(checks, deliveries, posted, started):
    rows = duckdb.sql(f"""
        SELECT event_id, state, attempt_count, len(attempts), attempts[1].outcome.status, attempts[1].started_at, typeof(created_at),
            attempts[1].response.body
        FROM read_json('{deliveries}')
    """).fetchall()
    checks.equal(sorted(row[0] for row in rows), sorted(posted))
    for row in rows:
        checks.true(row[2] >= 1 and row[2] == row[3], f"{row}: as many attempts as it says")
        checks.equal(row[4], 503)
        checks.true(is_recent(row[5], started), f"{row[5]} is a time")
        checks.equal((row[6], row[7]), ("TIMESTAMP WITH TIME ZONE", "busy\nline two"))
    frame = polars.read_ndjson(deliveries, infer_schema_length=None)
    checks.equal(frame["attempt_count"].to_list(), [row[2] for row in rows])
    attempts = frame.explode("attempts").unnest("attempts")
    checks.equal(set(attempts.unnest("outcome")["status"].to_list()), {503})
    begun_at = attempts["started_at"].str.to_datetime(time_zone="UTC").to_list()
    checks.true(all(is_recent(at, started) for at in begun_at), "Polars reads the times of attempts")


main()
