Feature: A node is drained under a budget
  Maintenance empties a node. The budget says how many pods have to stay available meanwhile, and the drain
  waits for it.

  Background:
    Given a cluster with 3 nodes
    And the manifest "manifests/shop.yaml"
    And requests to service "shop" every 200 milliseconds

  Scenario: A node takes no new pods, and a rollout goes round it
    When I cordon node "node-1"
    And I restart the rollout of deployment "shop"
    Then within 3 minutes, the rollout completes
    And within 1 minute, no pods run on node "node-1"
    And throughout, at least 3 pods were ready
    And throughout, every request to service "shop" was answered

  Scenario: The drain waits for the budget
    When I drain node "node-1"
    Then within 2 minutes, 4 pods are ready
    And no pods run on node "node-1"
    And throughout, at least 3 pods were available
    And throughout, every request to service "shop" was answered

  Scenario: The drained node is used again
    When I drain node "node-1"
    And I uncordon node "node-1"
    And I restart the rollout of deployment "shop"
    Then within 3 minutes, the rollout completes
    And within 1 minute, pods run on 3 nodes
    And throughout, at least 3 pods were available
    And throughout, every request to service "shop" was answered
