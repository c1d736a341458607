Feature: A node is emptied while a budget keeps enough pods available
  Draining evicts the pods of a node, and an eviction waits as long as the budget allows none.

  Background:
    Given a cluster with 2 nodes
    And image "shop:1" becomes ready after 10 seconds
    And deployment "shop" runs 4 replicas of "shop:1" with
      | readiness probe | http :8080/readyz every 1s |

  Scenario: The drain takes its time
    Given a budget that keeps at least 3 pods of deployment "shop" available
    When I drain node "node-1"
    Then 4 pods are ready
    And no pods run on node "node-1"
    And throughout, at least 3 pods were ready

  Scenario: Without a budget all pods of the node go at once
    When I drain node "node-1"
    Then 4 pods are ready
    And no pods run on node "node-1"
    And at some time, exactly 2 pods were ready

  Scenario: A budget that allows nothing
    Given a budget that keeps at least 4 pods of deployment "shop" available
    When I try to drain node "node-1"
    Then the attempt is refused with "global timeout reached"
    And 4 pods are ready
    And no pods were deleted
    And pods run on 2 nodes

  Scenario: A rollout does not ask the budget
    Given a budget that keeps at least 4 pods of deployment "shop" available
    When I update deployment "shop" to "shop:2"
    Then the rollout completes
    And at some time, exactly 3 pods were ready
