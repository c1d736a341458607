"""The CronJob controller: a Job at each time of its schedule, and no more finished ones than it keeps.

pkg/controller/cronjob/{cronjob_controllerv2.go,utils.go}
"""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime

from gherkube.runners.errors import ApiError
from gherkube.runners.history import Change
from gherkube.runners.objects import Key, Object, condition, controller_of, is_deleting
from gherkube.runners.schedules import Schedule
from gherkube.runners.simulator.api.defaults import set_defaults
from gherkube.runners.simulator.api.server import ApiServer
from gherkube.runners.simulator.clock import Chance
from gherkube.runners.simulator.controllers.job import is_finished
from gherkube.runners.simulator.controllers.job_pods import seconds
from gherkube.runners.simulator.controllers.ownership import controller_uid, reference_to
from gherkube.runners.simulator.controllers.runtime import Informers, WorkQueue
from gherkube.runners.simulator.events import EventRecorder, EventType

SCHEDULED = "batch.kubernetes.io/cronjob-scheduled-timestamp"
SLACK = 0.1
"""Seconds by which a Job is made later than its time. nextScheduleDelta"""
MANY = 100
"""Times missed from which on it is remarked."""


class CronJobController:
    """Makes the Jobs of every CronJob."""

    def __init__(self, api: ApiServer, informers: Informers, chance: Chance) -> None:
        self._api, self._informers = api, informers
        self._events = EventRecorder(api, "cronjob-controller")
        self._queue: WorkQueue[Key] = WorkQueue(api.clock, chance, self._sync)
        self._cron_jobs = informers.of("cronjobs")
        self._cron_jobs.on_change(self._cron_job_changed)
        self._follows_jobs = False

    def _cron_job_changed(self, change: Change) -> None:
        if not self._follows_jobs:  # with the first CronJob: most clusters have none
            self._follows_jobs = True
            jobs = self._informers.of("jobs")
            self._jobs_of = jobs.index(controller_uid)
            jobs.on_change(self._job_changed)
        self._queue.add(change.key)

    def _job_changed(self, change: Change) -> None:
        owner = controller_of(change.object)
        if owner is not None and owner["kind"] == "CronJob":
            self._queue.add(Key(change.object["metadata"]["namespace"], owner["name"]))

    # A turn: sync.

    def _sync(self, key: Key) -> None:
        cron_job = self._api.store.get("cronjobs", key)
        if cron_job is None or self._cron_jobs.get(key) is None:
            return
        jobs = list(self._jobs_of.get(cron_job["metadata"]["uid"], {}).values())
        status = dict(cron_job["status"])
        self._see_ended(cron_job, jobs, status)
        self._clean_up(cron_job, jobs)
        if not is_deleting(cron_job):
            self._run(key, cron_job, status)
        if status != cron_job["status"]:
            self._api.put_status("cronjobs", cron_job, status, check=False)

    def _see_ended(self, cron_job: Object, jobs: list[Object], status: Object) -> None:
        """Takes Jobs that have ended, or are gone, off the active ones. syncCronJob"""
        by_uid = {job["metadata"]["uid"]: job for job in jobs}
        known = {reference["uid"] for reference in status.get("active", ())}
        for other in (each for uid, each in by_uid.items() if uid not in known):
            if not is_finished(other):
                said = f"Saw a job that the controller did not create or forgot: {other['metadata']['name']}"
                self._tell(cron_job, "Warning", "UnexpectedJob", said)
            elif _is(other, "Complete"):
                ended = other["status"]["completionTime"]
                status["lastSuccessfulTime"] = max(ended, status.get("lastSuccessfulTime", ""))
        active = []
        for reference in status.get("active", ()):
            job = by_uid.get(reference["uid"])
            if job is not None and not is_finished(job):
                active.append(reference)
                continue
            if job is None:
                if self._api.store.get("jobs", Key(reference["namespace"], reference["name"])) is not None:
                    active.append(reference)  # the cache does not show it yet
                    continue
                said = f"Active job went missing: {reference['name']}"
                self._tell(cron_job, "Normal", "MissingJob", said)
                continue
            how = "Complete" if _is(job, "Complete") else "Failed"
            said = f"Saw completed job: {reference['name']}, condition: {how}"
            self._tell(cron_job, "Normal", "SawCompletedJob", said)
            if how == "Complete":
                status["lastSuccessfulTime"] = job["status"]["completionTime"]
        status.pop("active", None)
        if active:
            status["active"] = active

    def _clean_up(self, cron_job: Object, jobs: list[Object]) -> None:
        """cleanupFinishedJobs"""
        for type_, limit in (
            ("Complete", "successfulJobsHistoryLimit"),
            ("Failed", "failedJobsHistoryLimit"),
        ):
            ended = sorted((job for job in jobs if _is(job, type_) and not is_deleting(job)), key=_age)
            for job in ended[: max(0, len(ended) - cron_job["spec"][limit])]:
                self._delete(cron_job, job["metadata"]["name"])

    def _run(self, key: Key, cron_job: Object, status: Object) -> None:
        """Makes the Job of the most recent time that was not used, and comes back at the next."""
        spec, now = cron_job["spec"], self._now()
        if spec["suspend"]:
            return
        schedule = Schedule(spec["schedule"])
        last = seconds(status.get("lastScheduleTime") or cron_job["metadata"]["creationTimestamp"])
        deadline = spec.get("startingDeadlineSeconds")
        if deadline is not None:
            last = max(last, now - deadline)
        due, missed = None, 0
        at = schedule.next(last)
        while at is not None and at <= now:
            due, missed, at = at, missed + 1, schedule.next(at)
        if at is not None:
            self._queue.add_after(key, at - now + SLACK)
        if missed > MANY:
            said = "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check "
            said += "clock skew"
            self._tell(cron_job, "Warning", "TooManyMissedTimes", said)
        if due is not None:
            self._start(cron_job, status, due)

    def _start(self, cron_job: Object, status: Object, due: float) -> None:
        policy, active = cron_job["spec"]["concurrencyPolicy"], status.get("active", [])
        if policy == "Forbid" and active:
            said = "Not starting job because prior execution is running and concurrency policy is Forbid"
            self._tell(cron_job, "Normal", "JobAlreadyActive", said)
            return
        if policy == "Replace":
            for reference in active:
                self._delete(cron_job, reference["name"])
            active = []
        job = self._make(cron_job, due)
        if job is None:
            return
        metadata = job["metadata"]
        reference = {
            "kind": "Job",
            "namespace": metadata["namespace"],
            "name": metadata["name"],
            "uid": metadata["uid"],
            "apiVersion": "batch/v1",
            "resourceVersion": metadata["resourceVersion"],
        }
        status["active"] = [*active, reference]
        status["lastScheduleTime"] = _stamp(due)

    def _make(self, cron_job: Object, due: float) -> Object | None:
        """getJobFromTemplate2; None where that time's Job is there already"""
        about, template = cron_job["metadata"], cron_job["spec"]["jobTemplate"]
        given = template["metadata"]
        metadata: Object = {
            "name": f"{about['name']}-{int(due) // 60}",
            "namespace": about["namespace"],
            "annotations": {**given.get("annotations", {}), SCHEDULED: _stamp(due)},
            "ownerReferences": [reference_to(cron_job)],
        }
        if given.get("labels"):
            metadata["labels"] = dict(given["labels"])
        job: Object = {"metadata": metadata, "spec": deepcopy(template["spec"])}
        set_defaults("jobs", job)
        try:
            job = self._api.create_trusted("jobs", job)
        except ApiError as error:
            if error.reason == "AlreadyExists":
                return None
            self._tell(cron_job, "Warning", "FailedCreate", f"Error creating job: {error.message}")
            raise
        self._tell(cron_job, "Normal", "SuccessfulCreate", f"Created job {metadata['name']}")
        return job

    def _delete(self, cron_job: Object, name: str) -> None:
        try:
            self._api.delete("jobs", name, cron_job["metadata"]["namespace"], propagation="Background")
        except ApiError as error:
            if error.code != 404:
                self._tell(cron_job, "Warning", "FailedDelete", f"Deleted job: {error.message}")
            return
        self._tell(cron_job, "Normal", "SuccessfulDelete", f"Deleted job {name}")

    def _tell(self, cron_job: Object, type_: EventType, reason: str, message: str) -> None:
        self._events.record("CronJob", cron_job, type_, reason, message)

    def _now(self) -> float:
        """Seconds since 1970."""
        return seconds(self._api.clock.timestamp()) + self._api.clock.now % 1


def _is(job: Object, type_: str) -> bool:
    found = condition(job, type_)
    return found is not None and found["status"] == "True"


def _age(job: Object) -> tuple[str, str]:
    return job["status"].get("startTime", ""), job["metadata"]["name"]


def _stamp(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
