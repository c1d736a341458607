Feature: F
  Scenario: S

  Scenario: T
    Given a cluster with 1 node
    Then no pods run on node "node-1"
