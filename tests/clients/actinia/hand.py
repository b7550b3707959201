"""Drives the hand-written client (actinia-python-client) through what it has for process chains.

usage: hand.py BASE PROJECT TOKEN STRANGERS_TOKEN

An executor must be at work. The last line printed is a JSON summary.
"""

import json
import sys
from importlib.metadata import version as release_of

from actinia import Actinia
from harness import Native, Receiver
from rig import Checks, eventually, run_all, scenario



def step(number, exe, *params):
    return {"id": f"step_{number}", "exe": exe, "params": list(params)}


class World:
    def __init__(self, base, project, token, strangers_token):
        self.base, self.project, self.token, self.strangers_token = base, project, token, strangers_token
        self.check, self.receiver, self.native = Checks(), Receiver(), Native(base, project, token)
        self.actinia = self.connect()
        self.actinia.set_authentication(project, token)
        self.location = self.actinia.get_locations()[project]

    def connect(self):
        return Actinia(f"{self.base}/actinia", "api/v3")

    def job(self, chain):
        job = self.location.create_processing_export_job(chain, "job")
        self.check.equal(job.status, "accepted", "a new job")
        return job

    def raises(self, call, *words):
        try:
            call()
        except Exception as refusal:
            for word in words:
                self.check.true(word in str(refusal), f"{refusal} does not mention {word!r}")
            return
        raise AssertionError("the client was not told")


@scenario
def the_version_needs_no_login(w):
    w.check.true(len(w.connect().get_version()) > 2, "more than two keys")


@scenario
def a_wrong_login_is_told(w):
    for user, password in [(w.project, "nonsense"), (w.project, w.strangers_token), ("nobody", w.token)]:
        w.raises(lambda: w.connect().set_authentication(user, password), "Wrong user or password")


@scenario
def the_project_is_a_location(w):
    w.check.equal(list(w.actinia.get_locations()), [w.project], "locations")


@scenario
def a_script_finds_the_location_that_it_asks_for(w):
    w.native.settings({"actinia_locations": ["nc_spm_08", "other"]})
    # The client keeps what it has listed once.
    fresh = w.connect()
    fresh.set_authentication(w.project, w.token)
    found = fresh.get_locations()
    w.check.equal(sorted(found), ["nc_spm_08", "other"], "locations")
    job = found["nc_spm_08"].create_processing_export_job({"version": "1", "list": [step(1, "/bin/true")]}, "job")
    w.check.equal(job.poll_until_finished(0.1, quiet=True), 0, job.message)
    w.native.settings({"actinia_locations": None})


@scenario
def a_chain_is_done_and_told(w):
    webhooks = {"finished": w.receiver.url("/locked/f"), "update": w.receiver.url("/locked/u"), "auth": "u:p:1"}
    chain = {"version": "1", "list": [step(1, "/bin/sleep", "0.3"), step(2, "/bin/true")], "webhooks": webhooks}
    job = w.job(chain)
    w.check.equal(job.poll_until_finished(0.1, quiet=True), 0, job.message)
    w.check.equal((job.status, len(job.process_log)), ("finished", 2), "the job")
    w.check.equal(job.process_chain_list[0]["webhooks"]["auth"], "u:XXX", "the password is masked")
    told = w.receiver.told("/locked/f")
    w.check.equal((told["status"], told["resource_id"]), ("finished", job.resource_id), "the end")
    w.check.equal(told["process_log"][0]["executable"], "/bin/sleep", "its log")
    w.check.true("p:1" not in json.dumps(told), "the password is masked")
    update = w.receiver.told("/locked/u")
    w.check.equal((update["status"], update["process_chain_list"]), ("running", []), "an update")
    w.check.true("process_log" not in update, "an update has no log")


@scenario
def a_chain_that_fails_is_an_error(w):
    job = w.job({"version": "1", "list": [step(1, "/bin/false"), step(2, "/bin/true")], "webhooks": {"finished": w.receiver.url("/e")}})
    w.check.equal(job.poll_until_finished(0.1, quiet=True), 1, "the client says so")
    w.check.equal((job.status, job.http_code), ("error", 400), "the job")
    w.check.true(job.message.startswith("AsyncProcessError:  "), job.message)
    w.check.equal(w.receiver.told("/e")["status"], "error", "the end is told")


@scenario
def what_is_wrong_with_webhooks_is_said_exactly(w):
    missing = w.receiver.url("/missing")
    for webhooks, message in [
        ({"update": w.receiver.url("/x")}, "The finished URL is missing in the webhooks definition."),
        ({"finished": missing}, f"The finished webhook URL {missing} can not be accessed."),
        ({"finished": w.receiver.url("/x"), "update": missing}, f"The update webhook URL {missing} can not be accessed."),
        ({"finished": w.receiver.url("/locked"), "auth": "u:wrong"}, f"The finished webhook URL {w.receiver.url('/locked')} can not be accessed."),
    ]:
        job = w.job({"version": "1", "list": [], "webhooks": webhooks})
        w.check.equal(job.poll_until_finished(0.1, quiet=True), 1, "an error")
        w.check.equal(job.message, f"AsyncProcessError:  {message}", "the exact message")
    w.check.equal(w.receiver.of("/x", "POST"), [], "nothing is posted")


@scenario
def broken_chains_are_errors_of_the_job(w):
    for chain, words in [({"list": []}, "version"), ({"version": "1"}, "list"), ({"version": "1", "list": [{"id": "1"}]}, "neither")]:
        job = w.job(chain)
        w.check.equal(job.poll_until_finished(0.1, quiet=True), 1, "an error")
        w.check.true(words in job.message, job.message)


@scenario
def chains_are_validated(w):
    good = {"version": "1", "list": [step(1, "/bin/true")], "webhooks": {"finished": w.receiver.url("/v")}}
    w.location.validate_process_chain_sync(good)
    job = w.location.validate_process_chain_async(good, "valid")
    w.check.equal(job.poll_until_finished(0.1, quiet=True), 0, job.message)
    bad = w.location.validate_process_chain_async({"version": "1"}, "invalid")
    w.check.equal(bad.poll_until_finished(0.1, quiet=True), 1, bad.message)
    w.check.equal(w.receiver.of("/v", "POST"), [], "a validation tells nobody")


@scenario
def a_terminated_job_is_told(w):
    job = w.job({"version": "1", "list": [step(1, "/bin/sleep", "30")]})
    eventually("the job is at work", lambda: job.poll(quiet=True) or (True if job.status == "running" else None))
    w.native.call("POST", f"runs/run_{job.resource_id.removeprefix('resource_id-')}/terminate")
    w.check.equal(job.poll_until_finished(0.1, quiet=True), 1, "the client says so")
    w.check.equal((job.status, job.http_code), ("terminated", 200), "the job")


def main():
    summary = run_all(World(*sys.argv[1:5]))
    print(json.dumps({**summary, "client": release_of("actinia-python-client")}))


main()
