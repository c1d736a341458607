Feature: Probes tell Kubernetes what a pod can do
  Readiness says whether a pod gets requests; liveness whether its container has to be started again.

  Scenario: Readiness gates traffic
    Given image "hello:2" never becomes ready
    And deployment "web" runs 4 replicas of "hello:1" with
      | readiness probe | http :8080/readyz every 1s |
    And service "web" for deployment "web" on port 8080
    When I update it to "hello:2"
    Then the rollout gets stuck
    And 2 new pods are active
    And no new pods are ready
    And service "web" has endpoints only on "hello:1" pods
    When I send 20 requests to service "web"
    Then every request to service "web" is answered

  Scenario: Liveness restarts the container, in the same pod
    Given image "hello:1" fails its liveness probe after 1 minute
    And deployment "web" runs 2 replicas of "hello:1" with
      | liveness probe | http :8080/healthz every 5s |
    When 90 seconds pass
    Then 2 pods have restarted
    And an event "Unhealthy" about a pod says "Liveness probe failed"
    And an event "Killing" about a pod says "failed liveness probe, will be restarted"
    And no pods were replaced
