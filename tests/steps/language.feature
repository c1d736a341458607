Feature: The sentences of the language

  Each of these is a promise: it is recognised as written, by exactly one sentence of the catalogue.

  Scenario: What is there
    Given a cluster with 3 nodes
    Given a cluster with 2 nodes of 4 CPUs and 8Gi
    Given namespace "production"
    Given deployment "web" runs 4 replicas of "hello:1"
    Given deployment "web" in namespace "production" runs 2 replicas of "hello:1"
    Given deployment "web" runs four replicas of "hello:1" with
      | maxSurge                | 1                           |
      | maxUnavailable          | 0                           |
      | minReadySeconds         | 10                          |
      | progressDeadlineSeconds | 60                          |
      | revisionHistoryLimit    | 3                           |
      | readiness probe         | http :8080/readyz every 1s  |
      | liveness probe          | http :8080/healthz every 5s |
      | startup probe           | tcp :8080 every 1s          |
      | preStop sleep           | 5 seconds                   |
      | grace period            | 20 seconds                  |
      | cpu request             | 500m                        |
      | memory limit            | 64Mi                        |
      | label tier              | front                       |
      | env GREETING            | hi                          |
    Given replica set "web" runs 3 replicas of "hello:1"
    Given statefulset "db" runs 3 replicas of "hello:1"
    Given daemonset "agent" runs "hello:1"
    Given the manifest "manifests/web.yaml"
    Given the manifest
      """yaml
      apiVersion: apps/v1
      ...
      """
    Given the kustomization "overlays/staging"
    Given the chart "charts/web" as release "web"
    Given service "web" for deployment "web" on port 8080
    Given a budget that keeps at least 2 pods of deployment "web" available
    Given a quota of 10 pods
    Given requests to service "web" every 100 milliseconds

  Scenario: How images behave
    Given image "gcr.io/google-samples/kubernetes-bootcamp:v10" does not exist
    Given image "hello:2" takes 30 seconds to pull
    Given image "hello:2" takes 20 seconds to start listening
    Given image "hello:2" becomes ready after 20 seconds
    Given image "hello:3" never becomes ready
    Given image "hello:4" crashes after 2 seconds with exit code 1
    Given image "hello:5" fails its liveness probe after 1 minute
    Given image "hello:6" answers requests with status 500
    Given image "hello:7" answers requests with "Good morning"
    Given image "hello:7" takes 10 seconds to stop
    Given image "hello:8" needs 128Mi of memory

  Scenario: What happens
    When I update it to v2
    When I update it to 2.0.0
    When I update deployment "web" to "hello:2"
    When I update container "app" of deployment "web" to "hello:2"
    When I apply the manifest "manifests/web-v2.yaml"
    When I apply
      """yaml
      ...
      """
    When I patch deployment "web" with
      """yaml
      spec: {strategy: {rollingUpdate: {maxSurge: 2}}}
      """
    When I scale it to 5 replicas
    When I undo the rollout
    When I undo the rollout to revision 1
    When I pause the rollout
    When I resume the rollout
    When I restart the rollout
    When I promote deployment "web" from namespace "staging" to namespace "production"
    When I delete a pod of deployment "web"
    When I delete all v1 pods
    When I delete pod "db-0"
    When I delete deployment "web"
    When I expose deployment "web" on port 8080 as a NodePort
    When service "web" switches to pods labelled "app=web,version=green"
    When node "node-2" goes down
    When a node that runs a v2 pod goes down
    When node "node-2" comes back
    When I drain node "node-1"
    When I cordon node "node-1"
    When I uncordon node "node-1"
    When 30 seconds pass
    When I note the moment "before the release"
    When I send 20 requests to service "web"
    When I send 20 requests to the node port of service "web"
    When I run `kubectl rollout status deployment/web --timeout=20s`

  Scenario: What must be true
    Then the rollout completes
    Then within 2 minutes, the rollout completes
    Then the rollout gets stuck
    Then the rollout exceeds its progress deadline
    Then the rollout status says "2 out of 4 new replicas have been updated"
    Then the rollout history shows revisions 1, 3 and 4
    Then revision 2 of the rollout history has image "hello:2"
    Then 4 pods are ready
    Then four v2 pods are running
    Then 3 of 4 pods are ready
    Then 2 pods show ImagePullBackOff
    Then 2 new pods show ImagePullBackOff
    Then no v1 pods exist
    Then exactly 1 pod is terminating
    Then deployment "web" has 3 ready, 2 up-to-date and 3 available replicas
    Then deployment "web" has condition "Progressing" that is "False" with reason "ProgressDeadlineExceeded"
    Then there are 3 replica sets with 4, 0 and 0 replicas
    Then pods run on at least 2 nodes
    Then no pods run on node "node-2"
    Then an event "Failed" about a pod says "ImagePullBackOff"
    Then an event "Failed" about a pod says "ErrImagePull" at least 4 times
    Then service "web" has 4 endpoints
    Then service "web" has endpoints only on v2 pods
    Then every request to service "web" is answered
    Then requests to service "web" are answered by v2 only
    Then requests to service "web" are answered by at least 3 different pods
    Then between 80% and 98% of requests to service "web" are answered by v1
    Then at least 1 request to service "web" went unanswered
    Then every answer contains "v=2"
    Then the command succeeds
    Then the command fails with "timed out"
    Then the output contains "successfully rolled out"
    Then deployment "web" matches
      """yaml
      status: {updatedReplicas: 2}
      """
    Then v2 pods match
      """yaml
      spec: {containers: [{image: "jocatalin/kubernetes-bootcamp:v2"}]}
      """
    Then its "spec.template.spec.containers[0].image" is "hello:2"
    Then its "spec.replicas" is 3
    Then its "spec.replicas" is not 3
    Then its "status.conditions[?(@.type=='Available')].status" is "True"

  Scenario: What must be true over time
    Then throughout, at least 3 pods were ready
    Then throughout, at most 5 pods were active
    Then throughout, every request to service "web" was answered
    Then throughout, requests to service "web" went unanswered for at most 2 seconds
    Then at some time, no pods were ready
    Then at some time, 4 v1 pods were terminating while 4 v2 pods were running
    Then for 1 minute, 3 pods are ready
    Then no pods were replaced
    Then no v1 pods were created
    Then since the moment "before the release", exactly 1 pod was created
    Then pods were replaced one at a time
    Then the 3 pods that were ready all along were never restarted
    Then the v1 pods that were there at the moment "before the release" still exist

  Scenario: What is meant to be refused
    When I try to scale deployment "absent" to 2 replicas
    Then the attempt is refused with "not found"
