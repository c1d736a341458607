Feature: New pods are scheduled on nodes with room
  A pod goes where there is room for what it requests; during a rolling update, too.

  Scenario: Pods land on nodes that have room for what they request
    Given a cluster with 4 nodes of 1 CPU and 2Gi
    And deployment "kubernetes-bootcamp" runs 4 replicas of "jocatalin/kubernetes-bootcamp:v1" with
      | cpu request    | 600m |
      | maxSurge       | 0    |
      | maxUnavailable | 1    |
    Then pods run on exactly 4 nodes
    When I update deployment "kubernetes-bootcamp" to v2
    Then the rollout completes
    And four v2 pods are running
    And pods run on exactly 4 nodes

  Scenario: Without room the surge waits, and the old pods go on
    Given a cluster with 2 nodes of 1 CPU and 2Gi
    And deployment "kubernetes-bootcamp" runs 2 replicas of "jocatalin/kubernetes-bootcamp:v1" with
      | cpu request    | 600m |
      | maxSurge       | 1    |
      | maxUnavailable | 0    |
    When I update deployment "kubernetes-bootcamp" to v2
    Then 1 v2 pod is pending
    And an event "FailedScheduling" about a pod says "Insufficient cpu"
    And the rollout gets stuck
    And throughout, 2 v1 pods were ready
