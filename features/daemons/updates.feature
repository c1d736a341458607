Feature: How a daemonset may be updated
  As many nodes at once as may be without their pod, or new pods beside the old ones.

  Scenario: Half of the nodes at once
    Given a cluster with 4 nodes
    And daemonset "agent" runs "agent:1" with
      | maxUnavailable | 50% |
    When I update it to "agent:2"
    Then the rollout completes
    And at some time, 2 pods were terminating
    And throughout, at least 2 pods were ready

  Scenario: No node is ever without
    Given a cluster with 3 nodes
    And daemonset "agent" runs "agent:1" with
      | maxSurge       | 1 |
      | maxUnavailable | 0 |
    When I update it to "agent:2"
    Then the rollout completes
    And 3 new pods are ready
    And throughout, at least 3 pods were ready
    And throughout, at most 1 pod was pending

  Scenario: A bad release takes one node's agent, and an undo brings it back
    Given image "agent:2" does not exist
    And daemonset "agent" runs "agent:1"
    When I update it to "agent:2"
    Then 1 new pod shows ImagePullBackOff
    And the rollout gets stuck
    And throughout, at least 2 pods were ready
    When I undo the rollout
    Then the rollout completes
    And 3 "agent:1" pods are ready

  Scenario: By hand
    Given daemonset "agent" runs "agent:1" with
      | strategy | OnDelete |
    When I update it to "agent:2"
    Then for 1 minute, 3 "agent:1" pods are ready
    When I delete a pod on node "node-1"
    Then 1 "agent:2" pod is ready
    And 2 "agent:1" pods are ready
