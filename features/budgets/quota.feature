Feature: A quota of pods
  What is refused is the pod; the replica set tries again, and the deployment says so in a condition.

  Scenario: More replicas than the quota has room for
    Given a quota of 3 pods
    And deployment "web" runs 2 replicas of "hello:1"
    When I scale it to 5 replicas
    Then deployment "web" has condition "ReplicaFailure" that is "True" with reason "FailedCreate"
    And exactly 3 pods are ready
    And the rollout gets stuck
    And throughout, at most 3 pods existed

  Scenario: No room for the one pod more of an update
    Given a quota of 3 pods
    And deployment "web" runs 3 replicas of "hello:1" with
      | maxSurge       | 1 |
      | maxUnavailable | 0 |
    When I update it to "hello:2"
    Then the rollout gets stuck
    And deployment "web" has condition "ReplicaFailure" that is "True" with reason "FailedCreate"
    And exactly 3 old pods are ready
    And no pods were replaced
