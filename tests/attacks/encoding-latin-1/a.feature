Feature: F
  Scenario: größer
    Given a cluster with 1 node
