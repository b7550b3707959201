"""What a schema can't say, for the cases that are meant to be good.

Formats that JSON Schema does not know get strategies here. A case that is meant to be good and breaks a rule that the document
says in words (two fields that exclude each other, a name given twice) is repaired before it is sent; a case that is meant to be
bad is sent as it is. Path parameters that are meant to be good name things that exist, most of the time.
"""

import base64
import copy
import datetime
import hashlib
import itertools
import json
import os
import zlib

import schemathesis
from hypothesis import strategies as st
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation import GenerationMode
from schemathesis.generation.meta import ComponentInfo, TestPhase

# operationId -> values that exist; made by drive.py.
THINGS = json.loads(os.environ.get("POSTERN_THINGS", "{}"))
# Headers that a webhook may not set, with - for _ (core/src/webhook/header.rs), and those that callbacks have in any case.
REFUSED = {"host", "connection", "content-length", "transfer-encoding", "keep-alive", "te", "trailer", "upgrade", "expect",
           "proxy-connection", "proxy-authorization", "proxy-authenticate", "accept-encoding", "http2-settings",
           "max-forwards", "cdn-loop", "content-encoding", "content-range", "content-md5", "digest", "content-digest",
           "repr-digest", "content-location", "content-disposition", "forwarded", "via", "proxy", "x-forwarded", "x-real-ip",
           "x-client-ip", "x-cluster-client-ip", "x-originating-ip", "true-client-ip", "client-ip", "fastly-client-ip",
           "http-client-ip", "x-azure-clientip", "x-azure-socketip", "x-azure-fdid", "x-appengine-user-ip", "x-host",
           "x-http-host-override", "early-data", "client-cert", "client-cert-chain", "x-client-cert", "x-arr-clientcert",
           "x-http-method", "x-http-method-override", "x-method-override", "x-http-path-override", "range", "request-range",
           "set-cookie", "set-cookie2", "alt-svc", "www-authenticate", "authentication-info", "proxy-authentication-info",
           "strict-transport-security", "clear-site-data", "retry-after", "location", "server", "server-timing", "etag",
           "last-modified", "age", "expires", "vary", "allow", "refresh", "accept-ranges", "accept-post", "accept-patch",
           "access-control-max-age", "content-security-policy", "content-security-policy-report-only", "x-frame-options",
           "x-content-type-options", "x-xss-protection", "authorization", "content-type", "user-agent", "accept"}
REFUSED_PREFIXES = ("cf-", "sec-websocket-", "webhook-", "svix-", "forwarded-", "x-forward-", "x-forwarded-", "x-envoy-",
                    "wl-proxy-", "proxy-client-", "remote-", "x-remote-", "x-client-cert-", "ssl-client-", "x-ssl-client-",
                    "x-ms-client-principal", "x-goog-authenticated-user-", "x-original-", "x-rewrite-", "if-",
                    "access-control-allow-", "access-control-expose-")
# Drawn as nothing, although printable.
BLANK = "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0"
NUMBERS = itertools.count()

HOST = st.from_regex(r"[a-z][a-z0-9]{0,8}", fullmatch=True)
schemathesis.openapi.format("uri", HOST.map(lambda host: f"https://{host}.example/hooks"))
# In the future, whenever this runs: what has expired is refused.
TIMES = st.datetimes(min_value=datetime.datetime(2090, 1, 1), max_value=datetime.datetime(2100, 1, 1))
schemathesis.openapi.format("date-time", TIMES.map(lambda at: at.strftime("%Y-%m-%dT%H:%M:%SZ")))


@schemathesis.deserializer("application/x-ndjson")
def lines(_context, response):
    """Lines of JSON are a string for the schema; each must be JSON."""
    for line in response.text.splitlines():
        json.loads(line)
    return response.text


def is_good(case, location):
    part = case.meta.components.get(location) if case.meta else None
    return part is None or part.mode == GenerationMode.POSITIVE


@schemathesis.hook
def before_call(context, case, kwargs):
    if case.meta is None:
        return
    if case.operation.definition.raw.get("operationId") == "deleteProject" and is_good(case, ParameterLocation.PATH):
        # Never the project that all the other cases are about.
        case.path_parameters["project"] = "gone"
        if case.query and is_good(case, ParameterLocation.QUERY):
            case.query["confirm"] = "gone"
    if case.meta.phase.name == TestPhase.STATEFUL:
        # The calls before have made what is named. A path that was to be bad is a good one, where a link has put a name there.
        bad = {location for location, part in case.meta.components.items() if part.mode == GenerationMode.NEGATIVE}
        if bad <= {ParameterLocation.PATH}:
            # In the component too, of which the mode is made again whenever another component is touched.
            for location in bad:
                case.meta.components[location] = ComponentInfo(mode=GenerationMode.POSITIVE)
            case.meta.generation.mode = GenerationMode.POSITIVE
    else:
        name_things(case)
    if case.meta.generation.mode != GenerationMode.POSITIVE:
        return
    if isinstance(case.body, dict) and case.body.get("idempotency_key"):
        case.headers.pop("Idempotency-Key", None)
    if isinstance(case.body, (dict, list)):
        case.body = repaired(copy.deepcopy(case.body), case.operation.definition.raw.get("operationId"))
    query = case.query
    if query and "since" in query and "until" in query and not str(query["since"]) < str(query["until"]):
        del query["until"]
    if query and query.get("since") and case.operation.definition.raw.get("operationId") == "getStats":
        del query["since"]
    if query and query.get("cursor"):
        del query["cursor"]


def name_things(case):
    things = THINGS.get(case.operation.definition.raw.get("operationId"), [])
    if not things or not is_good(case, ParameterLocation.PATH):
        return
    for key, value in list(case.path_parameters.items()):
        draw = zlib.crc32(repr((value, case.body)).encode("utf-8", "surrogatepass"))
        if key != "project" and draw % 4 != 0:
            case.path_parameters[key] = things[draw % len(things)]


def repaired(body, operation):
    if not isinstance(body, dict):
        return body
    show(body)
    if operation in ("createWebhook", "updateWebhook", "createTest"):
        webhook(body, operation)
    if operation in ("testWebhook", "createTest") and body.get("variation"):
        trial(body, operation)
    if operation in ("planConfiguration", "applyConfiguration"):
        document = body.get("document") or {}
        for item in document.get("webhooks") or []:
            webhook(item, operation)
            # A name keeps its contract: with another one it would need another secret.
            item["name"] = f"{item['name'][:32]}-{item.get('contract') or 'standard'}"
        for item in document.get("event_types") or []:
            event_type(item)
        for section in ("webhooks", "event_types"):
            if document.get(section):
                document[section] = list({item["name"]: item for item in document[section]}.values())
    if operation == "createToken" and body.get("expires_at"):
        # schemathesis likes the times that it was answered with; they are past.
        body["expires_at"] = "2098-01-01T00:00:00Z"
    if operation in ("createEventType", "updateEventType"):
        event_type(body)
    if operation == "rotateWebhookSecret" and body.get("secret"):
        body.pop("kind", None)
        # Not the one that the webhook has already.
        body["secret"] = secret_of(str(next(NUMBERS)))
    if operation == "createReplay":
        if body.get("missing"):
            body.pop("states", None)
            if not body.get("webhook"):
                body["missing"] = False
        if body.get("since") and body.get("until") and not body["since"] < body["until"]:
            del body["until"]
    if operation in ("updateRun", "finishRun") and isinstance(body.get("progress"), dict):
        body["progress"]["step"] = min(body["progress"]["step"], body["progress"]["of"])
    return body


def show(body):
    """Names, descriptions, labels and keys hold nothing that people do not see."""
    things = [body]
    document = body.get("document")
    if isinstance(document, dict):
        for section in ("webhooks", "event_types"):
            things.extend(document.get(section) or [])
    things.extend(event for event in body.get("events") or [] if isinstance(event, dict))
    for thing in things:
        for key in ("name", "description", "message", "idempotency_key", "order_key"):
            if isinstance(thing.get(key), str):
                thing[key] = seen(thing[key])
        for key in ("labels", "event_labels", "object"):
            if isinstance(thing.get(key), dict):
                thing[key] = {seen(part): seen(value) if isinstance(value, str) else value for part, value in thing[key].items()}


def seen(text):
    return "".join(c if c in "\n\r\t" or (c.isprintable() and c not in BLANK) or c.isspace() and c not in "\u2028\u2029" else "x" for c in text)


def secret_of(text):
    """One that every contract takes."""
    return "whsec_" + base64.b64encode(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()).decode()


def webhook(body, operation):
    if isinstance(body.get("secret"), str):
        body["secret"] = secret_of(body["secret"])
    # Only callbacks of one contract carry a result; a patch may be about any.
    if body.get("include_result") and (operation == "updateWebhook" or body.get("contract") != "ubiops"):
        body["include_result"] = False
    headers = body.get("headers")
    if headers:
        kept = {}
        for header in headers:
            name = header["key"].lower()
            folded = name.replace("_", "-")
            if folded in REFUSED or folded.startswith(REFUSED_PREFIXES):
                continue
            if header.get("value") is None:
                header["value"] = "v"
            kept[name] = header
        body["headers"] = list(kept.values())
    if operation == "updateWebhook":
        body.pop("contract", None)
    if isinstance(body.get("filter"), dict):
        body["filter"] = shallow(body["filter"], 6)


def trial(body, operation):
    """What is different makes its calls once, and needs a webhook that signs, sends its data and has time."""
    body.pop("retry", None)
    if operation == "testWebhook":
        # Other cases have taken the webhook's secret away, or its time.
        body["variation"] = "at_once"
        return
    if body["variation"] == "large":
        body.pop("data", None)
        body.pop("contract", None)
    body["secret"] = secret_of("s")
    body["timeout_s"] = 10


def shallow(condition, levels):
    """A condition within the limit of depth."""
    if levels == 0:
        return {"field": "a", "exists": True}
    for key in ("and", "or"):
        if key in condition:
            return {key: [shallow(part, levels - 1) for part in condition[key][:3]]}
    if "not" in condition:
        return {"not": shallow(condition["not"], levels - 1)}
    return condition


def event_type(body):
    # What a schema of schemas can't say: that $refs lead somewhere, that limits are in order, that the example fits. And the
    # events of other cases must fit, too.
    if body.get("schema") is not None:
        body["schema"] = {"title": "anything", "anyOf": [{"type": "object", "properties": {"order": {"type": "string"}}}, True]}
