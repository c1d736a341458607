Feature: A node is lost
  A node that loses its power says nothing. For most of a minute the cluster goes on counting its pods as
  ready; then they are made anew elsewhere. A rollout that is under way has to come to its end all the same.

  Background:
    Given a cluster with 3 nodes
    And the manifest "manifests/shop.yaml"
    And requests to service "shop" every 200 milliseconds

  Scenario: Nothing else is going on
    When a node that runs a v1 pod goes down
    Then within 2 minutes, fewer than 4 pods are ready
    And within 4 minutes, 4 pods are ready
    And throughout, at least 2 pods were ready

  Scenario: A rollout is under way
    When I update deployment "shop" to v2
    Then within 1 minute, at least 1 v2 pod is ready
    When a node that runs a v2 pod goes down
    Then within 5 minutes, the rollout completes
    And within 2 minutes, four v2 pods are running
    And throughout, at least 2 pods were ready
