"""Reads metrics with both parsers of prometheus_client: `read.py BASE ADMIN_TOKEN TOKEN PROJECT`.

Both forms of both documents must hold the same, with a HELP and a TYPE for each name. Ends with one line of JSON: the samples
of the project.
"""

import json
import re
import sys
import urllib.request

from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics_families
from prometheus_client.parser import text_string_to_metric_families as text_families

from rig import Checks

OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
TEXT = "text/plain; version=0.0.4; charset=utf-8"
# What Prometheus 3 sends.
ACCEPT = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
# What `promtool check metrics` complains of: units that are not base units, abbreviated ones, and the name of a kind.
BAD_WORDS = {"ms", "milliseconds", "minutes", "hours", "kb", "kilobytes", "percent", "counter", "gauge", "histogram"}


def main():
    base, admin_token, token, project = sys.argv[1:]
    checks = Checks()

    def get(path, token, accept):
        request = urllib.request.Request(base + path)
        request.add_header("authorization", f"Bearer {token}")
        if accept:
            request.add_header("accept", accept)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.headers["content-type"], answer.read().decode()

    of_project = f"/v1/projects/{project}/metrics"
    for path, token in [("/metrics", admin_token), ("/metrics?projects=0", admin_token), (of_project, token)]:
        content_type, text = get(path, token, None)
        checks.equal(content_type, TEXT)
        families = list(text_families(text))
        content_type, open_text = get(path, token, ACCEPT)
        checks.equal(content_type, OPENMETRICS)
        open_families = list(openmetrics_families(open_text))
        checks.equal(names(families), names(open_families), f"{path}: both forms tell of the same")
        for family in families + open_families:
            check_family(checks, family)
        declared = re.findall(r"^# (HELP|TYPE) (\S+)", text, re.MULTILINE)
        checks.equal(len(declared), len(set(declared)), "no name is declared twice")
        checks.equal({name for kind, name in declared if kind == "HELP"}, {name for kind, name in declared if kind == "TYPE"})

    samples = {}
    for family in text_families(get(of_project, token, None)[1]):
        for sample in family.samples:
            checks.equal(sample.labels.get("project"), project, "a project's metrics are its own")
            labels = [value for name, value in sorted(sample.labels.items()) if name != "project"]
            samples[":".join([sample.name.removeprefix("postern_project_"), *labels])] = sample.value
    print(json.dumps({"checks": checks.count, "samples": samples}))


def names(families):
    return {(family.name, family.type) for family in families}


def check_family(checks, family):
    checks.true(family.documentation.endswith("."), f"{family.name} has a HELP")
    checks.true(family.type in ("counter", "gauge", "histogram"), f"{family.name} has a TYPE")
    checks.true(family.name.startswith("postern_") and not BAD_WORDS & set(family.name.split("_")), family.name)
    checks.true(len(family.samples) <= 20 * 20, f"{family.name} has {len(family.samples)} samples")
    for sample in family.samples:
        checks.true(set(sample.labels) <= {"project", "outcome", "le"}, f"{sample.labels}")
        checks.true(sample.value >= 0, f"{sample}")


main()
