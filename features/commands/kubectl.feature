@needs-kubectl
Feature: What kubectl says while we operate
  The commands of our runbooks, run for real: a wait of minutes takes no time here, and ends as it would.

  Scenario: A rollout is followed to its end
    Given deployment "web" runs 4 replicas of "hello:1"
    And image "hello:2" takes 30 seconds to pull
    When I run `kubectl set image deployment/web app=hello:2`
    And I run `kubectl rollout status deployment/web --timeout=5m`
    Then the output contains "successfully rolled out"
    And 4 "hello:2" pods are ready

  Scenario: Nobody waits for a bad release for longer than they said
    Given deployment "web" runs 4 replicas of "hello:1"
    And image "hello:2" does not exist
    When I run `kubectl set image deployment/web app=hello:2`
    And I run `kubectl rollout status deployment/web --timeout=20s`
    Then the command fails with "timed out waiting for the condition"
    And the output contains "2 out of 4 new replicas have been updated"
    When I run `kubectl rollout undo deployment/web`
    And I run `kubectl wait --for=condition=Available deployment/web --timeout=1m`
    Then the command succeeds
    And throughout, at least 3 pods were ready

  Scenario: A node is drained as far as the budget lets it
    Given deployment "web" runs 3 replicas of "hello:1"
    And a budget that keeps at least 3 pods of deployment "web" available
    When I run `kubectl drain node-1 --ignore-daemonsets --timeout=30s`
    Then the command fails with "global timeout reached: 30s"
    And the output contains "Cannot evict pod as it would violate the pod's disruption budget"
    And throughout, at least 3 pods were ready

  Scenario: Deleting waits until the last request is answered
    Given deployment "web" runs 2 replicas of "hello:1" with
      | grace period | 1m |
    And image "hello:1" takes 45 seconds to stop
    When I run `kubectl delete pods -l app=web --timeout=30s`
    Then the command fails with "timed out waiting for the condition"
    And 2 pods are terminating
