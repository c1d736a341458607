Feature: An agent on every node
  A daemonset keeps one pod on each node that takes pods, and follows nodes as they come and go.

  Background:
    Given a cluster with 4 nodes
    And daemonset "agent" runs "agent:1"

  Scenario: One on each node
    Then 4 of 4 pods are ready
    And pods run on 4 nodes
    And exactly 1 pod on node "node-3" is ready

  Scenario: A new version replaces them node by node
    When I update it to "agent:2"
    Then the rollout status says "new pods have been updated"
    And the rollout completes
    And daemonset "agent" has 4 ready, 4 up-to-date and 4 available replicas
    And 4 new pods are ready
    And throughout, at least 3 pods were ready
    And the rollout history shows revisions 1 and 2

  Scenario: An agent that is deleted comes back on its node
    When I delete a pod on node "node-2"
    Then exactly 1 pod is terminating
    And 4 pods are ready
    And exactly 1 pod on node "node-2" is ready
    And exactly 1 pod was replaced

  Scenario: Draining a node leaves its agent where it is
    When I drain node "node-1"
    Then exactly 1 pod on node "node-1" is ready
    And no pods were deleted
