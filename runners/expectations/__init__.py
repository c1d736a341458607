"""Judgements over the whole history of a rollout, whatever cluster it happened on.

A judgement is a statement at a time: `Judge(cluster).judge(statement, time)`. Everything that a
sentence of the language can say is one of these, each imported from its module:

    count       exactly(n, of=None)  at_least(n)  at_most(n)  between(low, high)  none()  every(of=None)
    time        Becomes(within=None)  Stays(seconds)  Throughout(since=None)  AtSomeTime(since=None)
                Past(since=None)  Moment(name, at, position)
    subjects    WorkloadRef(resource, namespace, name)
                PodSelector(workload or None, namespace, labels="", name="", version="", image="",
                            revision="" | "new" | "old", node="")
    pods        PodsStatement(selector, count, predicate, argument=None); predicate is one of
                active running ready available pending terminating exist, show (the status),
                restarted (Count or None), on_node (name), match (partial object)
    past        PodsHappened(selector, count, "created" | "deleted" | "replaced" | "restarted")
                OneAtATime(selector)
    kept        KeptPods(selector, "ready all along" or a Moment, count or None, predicate, argument=None);
                predicate is one of FATES ("never restarted", "deleted", …) or of those of pods ("exist")
    workloads   WorkloadStatement.replicas(workload, ready=count, up_to_date=…, available=…, total=…)
                .condition(workload, type, status, reason="")  .matches(workload, partial)
                .field(workload, path, value, negated=False)   .replica_sets(workload, [4, 0, 0])
                .revisions(workload, [1, 3, 4])                .revision_image(workload, number, image)
                .rollout(workload, "completes" | "stuck" | "exceeds_deadline" | "status_says", text="")
    nodes       PodsOnNodes(selector, count)
    events      EventStatement(reason, about: PodSelector | WorkloadRef, says="", times=at_least(1))
    endpoints   EndpointsStatement(Key(namespace, service), count=… or only=PodSelector)
    requests    RequestsStatement.answered(service: Key, count=every())  .unanswered(service, count)
                .by_version(service, version or image)  .by_pods(service, count)
                .share(service, low, high, version or image)  .gap(service, seconds)
                .answer_contains(service, text); with .of(requests) for those of the last "I send"
    judge       Judge(cluster, patience=300.0): .judge(statement, time, *, tense="present", while_=None);
                .first_when (Moment or None) and .last_when (seconds or None) are set by the steps;
                .moment(name) is the present moment
    failure     ExpectationFailed.failure is a Failure(expected, found, why, unreachable, history, nearest)
    causes      why(cluster, WorkloadRef or PodSelector) -> list[str]
"""
