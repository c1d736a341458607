Feature: A rolling update from 1.0.0 to 2.0.0, one pod at a time, without downtime
  What makes it free of downtime: one new pod is added before an old one goes, the readiness probe
  says when it may get requests, and a preStop sleep keeps the old one serving until nobody sends it
  any more.

  Background:
    Given deployment "app" runs 3 replicas of "app:1.0.0" with
      | maxSurge        | 1                           |
      | maxUnavailable  | 0                           |
      | readiness probe | http :8080/readyz every 1s  |
      | liveness probe  | http :8080/healthz every 5s |
      | preStop sleep   | 5 seconds                   |
    And service "app" for deployment "app" on port 8080
    And requests to service "app" every 100 milliseconds

  Scenario: One pod at a time
    When I update it to 2.0.0
    Then the rollout completes
    And three 2.0.0 pods are running
    And pods were replaced one at a time
    And throughout, at least 3 pods were ready
    And throughout, at most 4 pods were active
    And throughout, every request to service "app" was answered

  Scenario: Each new pod is waited for: until it is ready it gets no request, and no old pod goes
    Given image "app:2.0.0" becomes ready after 20 seconds
    When I update it to 2.0.0
    Then for 15 seconds, three 1.0.0 pods are ready while at most 1 2.0.0 pod is active
    And service "app" has endpoints only on 1.0.0 pods
    And no pods were deleted
    And the rollout completes
    And all pods were replaced
    And throughout, every request to service "app" was answered

  Scenario: Rollback as a plan
    Given image "app:2.0.0" answers requests with status 500
    When I update it to 2.0.0
    Then the rollout completes
    And at least 1 request to service "app" went unanswered
    When I undo the rollout
    Then the rollout completes
    And three 1.0.0 pods are running
    And within 1 minute, no 2.0.0 pods exist
    When I send 20 requests to service "app"
    Then requests to service "app" are answered by 1.0.0 only
    And every request to service "app" is answered
