"""Drives the generated client (actinia-openapi-python-client) through every operation that has to do with runs.

usage: openapi.py BASE PROJECT TOKEN STRANGERS_TOKEN

An executor must be at work. The last line printed is a JSON summary.
"""

import json
import sys
from importlib.metadata import version as release_of

import actinia_openapi_python_client as actinia
from actinia_openapi_python_client.rest import ApiException
from harness import Native, Receiver
from rig import Checks, eventually, run_all, scenario

OPERATIONS = set()
NOBODY = "resource_id-00000000-0000-7000-8000-000000000000"


class Api:
    """One of the client's API classes, noting which operations were used."""

    def __init__(self, api):
        self.api = api

    def __getattr__(self, name):
        OPERATIONS.add(name)
        return getattr(self.api, name)


class World:
    def __init__(self, base, project, token, strangers_token):
        self.base, self.project, self.token, self.strangers_token = base, project, token, strangers_token
        self.login(project, token)
        self.native, self.receiver, self.check = Native(base, project, token), Receiver(), Checks()

    def apis(self, user, password):
        configuration = actinia.Configuration(host=f"{self.base}/actinia/api/v3", username=user, password=password)
        client = actinia.ApiClient(configuration)
        kinds = actinia.ProcessingApi, actinia.ResourceManagementApi, actinia.LocationManagementApi
        return [Api(kind(client)) for kind in kinds]

    def login(self, user, password):
        self.processing, self.resources, self.locations = self.apis(user, password)

    def chain(self, steps=(), **webhooks):
        webhooks = actinia.Webhooks(**webhooks) if webhooks else None
        return actinia.ProcessChainModel(version="1", list=list(steps), webhooks=webhooks)

    def export(self, chain):
        made = self.processing.locations_location_name_processing_async_export_post("nc_spm_08", chain)
        self.check.equal((made.status, made.http_code, made.user_id), ("accepted", 200, self.project), "a new job")
        self.check.true(made.resource_id.startswith("resource_id-"), made.resource_id)
        return made

    def ended(self, resource):
        """The job once it has ended; an error is an exception with status 400 whose body is the job."""

        def look():
            try:
                job = self.resources.resources_user_id_resource_id_get(self.project, resource)
            except ApiException as refusal:
                self.check.equal(refusal.status, 400, "the status is the job's http_code")
                job = actinia.ProcessingResponseModel.from_json(refusal.body)
                self.check.equal((job.status, job.http_code), ("error", 400), "a failed job")
            return None if job.status in ("accepted", "running") else job

        return eventually(f"{resource} ends", look)

    def refused(self, status, call, *words):
        try:
            answer = call()
        except ApiException as refusal:
            self.check.equal(refusal.status, status, refusal.body)
            found = json.loads(refusal.body)
            self.check.equal(found["status"], "error", refusal.body)
            for word in words:
                self.check.true(word in found["message"], f"{found['message']!r} does not mention {word!r}")
            return
        raise AssertionError(f"expected {status}, got {answer!r}")


@scenario
def a_wrong_login_is_refused(w):
    logins = [(w.project, "nonsense"), (w.project, w.strangers_token), ("no-such-project", w.token), ("", "")]
    for user, password in logins:
        processing, resources, locations = w.apis(user, password)
        w.refused(401, locations.locations_get)
        w.refused(401, lambda: resources.resources_user_id_get(w.project))
        w.refused(401, lambda: processing.locations_location_name_processing_async_export_post("l", w.chain()))


@scenario
def a_location_is_there(w):
    found = w.locations.locations_get()
    w.check.equal((found.status, found.locations), ("success", [w.project]), "locations")
    w.native.settings({"actinia_locations": ["nc_spm_08"]})
    w.check.equal(w.locations.locations_get().locations, ["nc_spm_08"], "the locations that the project names")
    w.native.settings({"actinia_locations": None})


@scenario
def an_export_job_is_done(w):
    made = w.export(w.chain())
    w.check.true(made.urls.status.endswith(f"/actinia/api/v3/resources/{w.project}/{made.resource_id}"), made.urls.status)
    w.check.equal((made.api_info.method, made.api_info.endpoint), ("POST", "asyncephemeralexportresource"), "api_info")
    done = w.ended(made.resource_id)
    w.check.equal((done.status, done.http_code, done.process_results), ("finished", 200, {}), "a done job")
    w.check.true(done.timestamp >= done.accept_timestamp > 1.7e9, "times are seconds")


@scenario
def a_job_in_a_mapset_is_done(w):
    made = w.processing.locations_location_name_mapsets_mapset_name_processing_async_post("nc_spm_08", "PERMANENT", w.chain())
    w.check.equal(w.ended(made.resource_id).status, "finished", "the job")


@scenario
def a_module_is_refused_by_the_executor(w):
    made = w.export(w.chain([actinia.GrassModule(id="1", module="g.region", flags="p")]))
    failed = w.ended(made.resource_id)
    w.check.true(failed.message.startswith("AsyncProcessError:  "), failed.message)
    w.check.equal(failed.exception.type, "AsyncProcessError", "exception")


@scenario
def a_module_without_an_id_fails(w):
    w.check.true("has no id" in w.ended(w.export(w.chain([actinia.GrassModule(module="g.region")])).resource_id).message, "the message")


@scenario
def the_end_is_told(w):
    made = w.export(w.chain(finished=w.receiver.url("/f"), update=w.receiver.url("/u")))
    told = w.receiver.told("/f")
    w.check.equal((told["status"], told["resource_id"]), ("finished", made.resource_id), "the callback")
    w.check.equal((len(w.receiver.of("/f", "GET")), len(w.receiver.of("/u", "GET"))), (1, 1), "probes")
    actinia.ProcessingResponseModel.from_dict(told)
    w.check.equal(w.ended(made.resource_id).status, "finished", "the job")


@scenario
def an_address_that_does_not_answer_fails_the_job(w):
    for field, webhooks in [
        ("finished", {"finished": w.receiver.url("/missing")}),
        ("update", {"finished": w.receiver.url("/ok"), "update": w.receiver.url("/missing/u")}),
    ]:
        failed = w.ended(w.export(w.chain(**webhooks)).resource_id)
        expected = f"AsyncProcessError:  The {field} webhook URL {webhooks[field]} can not be accessed."
        w.check.equal(failed.message, expected, "the exact message")
    w.check.equal(w.receiver.of("/missing", "POST") + w.receiver.of("/ok", "POST"), [], "nothing is posted")


@scenario
def chains_are_validated(w):
    good = w.chain(finished=w.receiver.url("/v"))
    found = w.processing.locations_location_name_process_chain_validation_sync_post("l", good)
    w.check.equal((found.status, found.http_code), ("finished", 200), "sync")
    bad = w.chain(finished=w.receiver.url("/missing/v"))
    words = f"AsyncProcessError:  The finished webhook URL {w.receiver.url('/missing/v')} can not be accessed."
    w.refused(400, lambda: w.processing.locations_location_name_process_chain_validation_sync_post("l", bad), words)

    made = w.processing.locations_location_name_process_chain_validation_async_post("l", good)
    w.check.equal((made.status, w.ended(made.resource_id).status), ("accepted", "finished"), "async")
    made = w.processing.locations_location_name_process_chain_validation_async_post("l", bad)
    w.check.equal((made.status, w.ended(made.resource_id).message), ("accepted", words), "async")
    w.check.equal(w.receiver.of("/v", "POST"), [], "a validation tells nobody")


@scenario
def a_job_is_terminated(w):
    resource = w.native.sleeping(30)

    def running():
        job = w.resources.resources_user_id_resource_id_get(w.project, resource)
        return job if job.status == "running" else None

    job = eventually("the job is at work", running)
    w.check.equal((job.progress.step, job.progress.num_of_steps) if job.progress else (1, 1), (1, 1), "progress")
    answer = w.resources.resources_user_id_resource_id_delete(w.project, resource)
    w.check.equal(answer.status, "accepted", "the request to terminate")
    ended = w.ended(resource)
    w.check.equal((ended.status, ended.http_code), ("terminated", 200), "the job")
    w.check.equal(w.resources.resources_user_id_resource_id_delete(w.project, resource).status, "accepted", "once more")


@scenario
def jobs_are_listed(w):
    listed = w.resources.resources_user_id_get(w.project).resource_list
    made = w.export(w.chain())
    found = w.resources.resources_user_id_get(w.project).resource_list
    w.check.equal(len(found), len(listed) + 1, "one more")
    w.check.equal(found[0].resource_id, made.resource_id, "the newest first")


@scenario
def an_unknown_resource_is_400(w):
    for resource in [NOBODY, "nonsense", "resource_id-nonsense"]:
        w.refused(400, lambda: w.resources.resources_user_id_resource_id_get(w.project, resource), "Resource does not exist")
        w.refused(400, lambda: w.resources.resources_user_id_resource_id_delete(w.project, resource), "Resource does not exist")
    w.refused(401, lambda: w.resources.resources_user_id_resource_id_get("somebody", NOBODY))


def main():
    summary = run_all(World(*sys.argv[1:5]))
    print(json.dumps({**summary, "client": release_of("actinia-openapi-python-client"), "operations": sorted(OPERATIONS)}))


main()
