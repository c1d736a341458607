"""The Job controller: pods that end, as many as are to succeed, until too many have failed.

Each pod is counted once, whatever happens to it: its uid is noted in the Job's status, then the pod loses
its finalizer, then it is added to the numbers. pkg/controller/job/job_controller.go
"""

from __future__ import annotations

from gherkube.runners.errors import ApiError
from gherkube.runners.history import ADDED, DELETED, Change
from gherkube.runners.objects import Key, Object, condition, controller_of, is_deleting, is_ready, key_of
from gherkube.runners.selectors import from_label_selector
from gherkube.runners.simulator.api.server import ApiServer
from gherkube.runners.simulator.api.writes import with_condition
from gherkube.runners.simulator.clock import Chance
from gherkube.runners.simulator.controllers.expectations import Expectations
from gherkube.runners.simulator.controllers.job_pass import Pass, free_indexes, removed_first
from gherkube.runners.simulator.controllers.job_pods import (
    INDEX,
    TRACKING,
    Failures,
    is_active,
    is_terminating,
    is_tracked,
    restarts,
    seconds,
    told_indexes,
)
from gherkube.runners.simulator.controllers.job_policies import (
    failure_of_the_job,
    success_of,
    told_failures,
    wait_of,
)
from gherkube.runners.simulator.controllers.ownership import (
    adopt,
    controller_or_none_in,
    none_in,
    reference_to,
    release,
)
from gherkube.runners.simulator.controllers.pod_control import PodControl, slow_start
from gherkube.runners.simulator.controllers.runtime import Informers, WorkQueue
from gherkube.runners.simulator.events import EventRecorder, EventType

BATCH = 1.0
"""Seconds in which changes of pods are gathered. syncJobBatchPeriod"""
BACKOFF = (1.0, 60.0)
"""Seconds until a turn that the API server refused is tried again. DefaultJobApiBackOff, MaxJobApiBackOff"""
BURST = 500
"""How many pods one turn makes or deletes at most. MaxPodCreateDeletePerSync"""
LAST = {"SuccessCriteriaMet": "Complete", "FailureTarget": "Failed"}
"""What a Job is once no pod of it is left to wait for, by what it was before."""
REACHED = ("SuccessCriteriaMet", "CompletionsReached", "Reached expected number of succeeded pods")
TOO_MANY = ("FailureTarget", "BackoffLimitExceeded", "Job has reached the specified backoff limit")
TOO_LONG = ("FailureTarget", "DeadlineExceeded", "Job was active longer than specified deadline")
LOST_TOO_MANY = (
    "FailureTarget",
    "MaxFailedIndexesExceeded",
    "Job has exceeded the specified maximal number of failed indexes",
)
LOST_SOME = ("FailureTarget", "FailedIndexes", "Job has failed indexes")


class JobController:
    """Runs the pods of every Job."""

    def __init__(self, api: ApiServer, informers: Informers, chance: Chance) -> None:
        self._api, self._informers = api, informers
        self._events = EventRecorder(api, "job-controller")
        self._control = PodControl(api, self._events)
        self._expectations = Expectations()
        self._failures: dict[Key, Failures] = {}
        self._counted: dict[Key, set[str]] = {}
        """The uids of pods whose finalizer was taken off, which the cache may not show yet."""
        self._queue: WorkQueue[Key] = WorkQueue(api.clock, chance, self._sync, backoff=BACKOFF)
        self._jobs = informers.of("jobs")
        self._jobs.on_change(self._job_changed)
        self._follows_pods = False

    # What the caches show.

    def _job_changed(self, change: Change) -> None:
        if not self._follows_pods:  # with the first Job: most clusters have none
            self._follows_pods = True
            pods = self._informers.of("pods")
            self._pods_of = pods.index(controller_or_none_in)
            pods.on_change(self._pod_changed)
        key, old = change.key, change.old
        if change.type == DELETED:
            self._expectations.forget(key)
            self._failures.pop(key, None)
            self._counted.pop(key, None)
            for pod in list(self._pods_of.get(change.object["metadata"]["uid"], {}).values()):
                self._let_go(pod)
        elif old is not None and old["metadata"]["generation"] == change.object["metadata"]["generation"]:
            self._queue.add_after(key, BATCH)
        else:
            self._queue.add(key)

    def _pod_changed(self, change: Change) -> None:
        pod = change.object
        key, was = _job_of(pod), _job_of(change.old)
        if was is not None and was != key:
            self._queue.add_after(was, BATCH)
        if key is None:
            return
        if change.type == ADDED:
            self._expectations.saw_creation(key)
        if change.type == DELETED or is_deleting(pod):
            self._expectations.saw_deletion(key, key_of(pod))
        if self._jobs.get(key) is None and change.type != DELETED:
            self._let_go(pod)
        self._queue.add_after(key, BATCH)

    def _let_go(self, pod: Object) -> None:
        """Takes the finalizer off a pod. removeTrackingFinalizerPatch, syncOrphanPod"""
        if is_tracked(pod) and self._api.store.get("pods", key_of(pod)) is not None:
            self._api.remove_finalizer("pods", key_of(pod), TRACKING)

    # A turn: syncJob.

    def _sync(self, key: Key) -> None:
        job = self._api.store.get("jobs", key)
        if job is None or self._jobs.get(key) is None or is_finished(job):
            return
        if job["spec"].get("managedBy", MANAGER) != MANAGER:
            return
        looked = self._look(key, job)
        self._failures[key] = self._failures.get(key, Failures()).and_then(looked.new)
        self._decide(key, looked)
        try:
            self._manage(key, looked)
        finally:
            self._track(key, looked)

    def _look(self, key: Key, job: Object) -> Pass:
        pods = self._claimed(job)
        counted = self._counted.setdefault(key, set())
        left = [pod for pod in pods if is_tracked(pod) and pod["metadata"]["uid"] not in counted]
        status = {"uncountedTerminatedPods": {}, **job["status"]}
        status["terminating"] = sum(map(is_terminating, pods))
        if "startTime" not in status and not job["spec"]["suspend"]:
            status["startTime"] = self._api.clock.timestamp()
        return Pass(job, pods, left, status, [pod for pod in pods if is_active(pod)])

    def _claimed(self, job: Object) -> list[Object]:
        """getPodsForJob"""
        namespace, uid = job["metadata"]["namespace"], job["metadata"]["uid"]
        matches = from_label_selector(job["spec"]["selector"])
        claimed = []
        for pod in list(self._pods_of.get(uid, {}).values()):
            if matches(pod["metadata"].get("labels", {})):
                claimed.append(pod)
            elif not is_deleting(job):
                self._let_go(pod)
                release(self._api, pod, uid)
        for pod in list(self._pods_of.get(none_in(namespace), {}).values()):
            fits = matches(pod["metadata"].get("labels", {})) and not is_deleting(pod)
            if fits and not is_deleting(job) and adopt(self._api, pod, job):
                claimed.append(pod)
        return sorted(
            claimed, key=lambda pod: (pod["metadata"]["creationTimestamp"], pod["metadata"]["name"])
        )

    def _decide(self, key: Key, looked: Pass) -> None:
        """Whether the Job has failed, or is about to have ended."""
        for type_ in LAST:
            met = condition({"status": looked.status}, type_)
            if met is not None:
                looked.end = type_, met["reason"], met["message"]
                return
        spec = looked.spec
        limit, begun = spec["backoffLimit"], looked.status.get("startTime")
        if (why := failure_of_the_job(spec, looked.pods)) is not None:
            looked.end = "FailureTarget", "PodFailurePolicy", why
        elif looked.failed > limit or self._restarts_too_often(looked):
            looked.end = TOO_MANY
        elif (deadline := spec.get("activeDeadlineSeconds")) is not None and begun and not spec["suspend"]:
            left = seconds(begun) + deadline - self._now()
            if left <= 0:
                looked.end = TOO_LONG
            else:
                self._queue.add_after(key, left)
        if looked.is_indexed and looked.end is None:
            looked.end = self._end_by_indexes(looked)

    @staticmethod
    def _end_by_indexes(looked: Pass) -> tuple[str, str, str] | None:
        """How the indexes that have ended end the Job, None when they do not."""
        if looked.lost:
            if len(looked.lost) > looked.spec.get("maxFailedIndexes", len(looked.lost)):
                return LOST_TOO_MANY
            if len(looked.lost) + len(looked.done) >= looked.spec["completions"]:
                return LOST_SOME
        if (why := success_of(looked.spec, looked.done)) is not None:
            return "SuccessCriteriaMet", "SuccessPolicy", why
        return None

    def _restarts_too_often(self, looked: Pass) -> bool:
        if looked.spec["template"]["spec"]["restartPolicy"] != "OnFailure":
            return False
        count, limit = restarts(looked.pods), looked.spec["backoffLimit"]
        return count >= limit if limit else count > 0

    # What is done: manageJob.

    def _manage(self, key: Key, looked: Pass) -> None:
        if looked.end is not None:
            self._delete(key, looked, looked.active)
            return
        if is_deleting(looked.job) or not self._expectations.met(key, self._api.clock.now):
            return
        active, wanted = len(looked.active), self._wanted(looked)
        stopping = looked.status["terminating"] if looked.replaces_failed_only else 0
        if active > wanted:
            self._delete(key, looked, removed_first(looked)[: min(active - wanted, BURST)], keeps=False)
        elif active + stopping < wanted:
            self._make(key, looked, min(wanted - active - stopping, BURST))
        completions = looked.spec.get("completions")
        enough = looked.succeeded > 0 if completions is None else looked.succeeded >= completions
        if enough and not looked.active and not looked.made:
            looked.end = REACHED
        else:
            self._say_suspended(looked)

    @staticmethod
    def _wanted(looked: Pass) -> int:
        """How many pods should be active."""
        spec = looked.spec
        parallelism = int(spec["parallelism"])
        if spec["suspend"]:
            return 0
        if "completions" not in spec:
            return len(looked.active) if looked.succeeded else parallelism
        return max(0, min(int(spec["completions"]) - looked.succeeded, parallelism))

    def _make(self, key: Key, looked: Pass, count: int) -> None:
        free: list[int | None] = list(free_indexes(looked, count)) if looked.is_indexed else [None] * count
        now = self._now()
        if looked.lost is None:
            waits = [self._failures[key].wait(now)] * len(free)
        else:
            waits = [wait_of(looked.last_failures.get(index or 0), now) for index in free]
        if not (due := [index for index, wait in zip(free, waits, strict=True) if wait <= 0]):
            if waits:
                self._queue.add_after(key, min(waits))
            return
        self._expectations.expect_creations(key, len(due), self._api.clock.now)
        looked.made, failed = slow_start(due, lambda index: self._create(looked, index))
        self._expectations.saw_creation(key, len(due) - looked.made)
        if failed is not None:
            raise failed

    def _create(self, looked: Pass, index: int | None) -> None:
        """createPodWithCompletionIndex"""
        job = looked.job
        template, name = job["spec"]["template"], job["metadata"]["name"]
        metadata = {**template["metadata"], "finalizers": [TRACKING]}
        spec, prefix = template["spec"], ""
        if index is not None:
            told, prefix = {INDEX: str(index)}, f"{name}-{index}-"
            metadata["annotations"] = {**metadata.get("annotations", {}), **told}
            if looked.lost is not None:
                metadata["annotations"] |= told_failures(job["spec"], looked.last_failures.get(index))
            metadata["labels"] = {**metadata["labels"], **told}
            field = {"apiVersion": "v1", "fieldPath": f"metadata.labels['{INDEX}']"}
            told_env = {"name": "JOB_COMPLETION_INDEX", "valueFrom": {"fieldRef": field}}
            spec = {**spec, "hostname": f"{name}-{index}"}
            for kind in ("containers", "initContainers"):
                if kind in spec:
                    spec[kind] = [{**each, "env": [*each.get("env", ()), told_env]} for each in spec[kind]]
        made = {**job, "spec": {**job["spec"], "template": {"metadata": metadata, "spec": spec}}}
        self._control.create(made, [reference_to(job)], prefix)

    def _delete(self, key: Key, looked: Pass, doomed: list[Object], *, keeps: bool = True) -> None:
        """`keeps`: their finalizers, so that they are counted. deleteActivePods, deleteJobPods"""
        doomed = list(doomed)
        self._expectations.expect_deletions(key, map(key_of, doomed), self._api.clock.now)
        for pod in doomed:
            try:
                if not keeps:
                    self._let_go(pod)
                self._control.delete(looked.job, pod)
            except ApiError as error:
                self._expectations.saw_deletion(key, key_of(pod))
                if error.code != 404:
                    raise
        gone = {pod["metadata"]["uid"] for pod in doomed}
        looked.active = [pod for pod in looked.active if pod["metadata"]["uid"] not in gone]
        looked.status["terminating"] += len(gone)

    def _say_suspended(self, looked: Pass) -> None:
        now = self._api.clock.timestamp()
        suspended, said = looked.spec["suspend"], condition({"status": looked.status}, "Suspended")
        if suspended and (said is None or said["status"] != "True"):
            self._set_condition(looked.status, "Suspended", "True", "JobSuspended", "Job suspended", now)
            self._tell(looked.job, "Normal", "Suspended", "Job suspended")
        elif not suspended and said is not None and said["status"] == "True":
            self._set_condition(looked.status, "Suspended", "False", "JobResumed", "Job resumed", now)
            self._tell(looked.job, "Normal", "Resumed", "Job resumed")
            looked.status["startTime"] = now

    @staticmethod
    def _set_condition(status: Object, type_: str, value: str, reason: str, message: str, now: str) -> None:
        new = {"type": type_, "status": value, "lastProbeTime": now, "lastTransitionTime": now}
        new |= {"reason": reason, "message": message}
        status["conditions"] = with_condition(status.get("conditions", []), new)

    # What is written: trackJobStatusAndRemoveFinalizers.

    def _track(self, key: Key, looked: Pass) -> None:
        """Notes the pods that have ended, takes their finalizers off, adds them; and so the Job may end."""
        status, now = looked.status, self._api.clock.timestamp()
        status["active"] = len(looked.active) + looked.made
        status["ready"] = sum(map(is_ready, looked.active))
        noted = {kind: list(uids) for kind, uids in looked.noted.items()}
        leaving = looked.leaving
        for pod in leaving:
            kind, uid = looked.counts_as(pod), pod["metadata"]["uid"]
            if kind is not None and uid not in noted.get(kind, ()):
                noted.setdefault(kind, []).append(uid)
        if looked.is_indexed:
            status |= {"succeeded": len(looked.done), "completedIndexes": told_indexes(looked.done)}
        if looked.lost is not None:
            status["failedIndexes"] = told_indexes(looked.lost)
        status["uncountedTerminatedPods"] = noted
        if looked.end is not None:
            self._set_condition(status, looked.end[0], "True", *looked.end[1:], now)
        self._write(key, status)
        for pod in leaving:
            self._counted[key].add(pod["metadata"]["uid"])
            self._let_go(pod)
        status = {**status, "uncountedTerminatedPods": {}}
        for kind, uids in noted.items():
            status[kind] = status.get(kind, 0) + len(uids)
        ends = looked.end is not None and not status["terminating"]
        if looked.end is not None and ends:
            last = LAST[looked.end[0]]
            self._set_condition(status, last, "True", *looked.end[1:], now)
            if last == "Complete":
                status["completionTime"] = now
        self._write(key, status)
        if looked.end is not None and ends:
            self._tell_end(looked)

    def _tell_end(self, looked: Pass) -> None:
        """recordJobFinished"""
        assert looked.end is not None
        type_, reason, message = looked.end
        if LAST[type_] == "Complete":
            self._tell(looked.job, "Normal", "Completed", "Job completed")
        else:
            self._tell(looked.job, "Warning", reason, message)

    def _write(self, key: Key, status: Object) -> None:
        stored = self._api.store.get("jobs", key)
        if stored is not None:
            shown = {name: value for name, value in status.items() if value or name in ALWAYS}
            self._api.put_status("jobs", stored, shown, check=False)

    def _tell(self, job: Object, type_: EventType, reason: str, message: str) -> None:
        self._events.record("Job", job, type_, reason, message)

    def _now(self) -> float:
        """Seconds since 1970."""
        return seconds(self._api.clock.timestamp()) + self._api.clock.now % 1


MANAGER = "kubernetes.io/job-controller"
"""What `managedBy` says of the Jobs that this controller runs; it leaves all others alone."""
ALWAYS = ("terminating", "ready", "uncountedTerminatedPods", "failedIndexes")
"""What a Job's status has also when it is nothing."""


def _job_of(pod: Object | None) -> Key | None:
    """The Job that controls a pod."""
    owner = controller_of(pod) if pod is not None else None
    if pod is None or owner is None or owner["kind"] != "Job":
        return None
    return Key(pod["metadata"]["namespace"], owner["name"])


def is_finished(job: Object) -> bool:
    """Whether the Job is complete or has failed. IsJobFinished"""
    found = (condition(job, type_) for type_ in LAST.values())
    return any(each is not None and each["status"] == "True" for each in found)
