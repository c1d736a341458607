Feature: At least none

  Scenario: pods
    Given deployment "web" runs 3 replicas of "hello:1"
    When I update it to "hello:2"
    Then at least 0 pods are ready

  Scenario: nodes
    Given deployment "web" runs 3 replicas of "hello:1"
    When I update it to "hello:2"
    Then pods run on at least 0 nodes

  Scenario: events
    Given deployment "web" runs 3 replicas of "hello:1"
    When I update it to "hello:2"
    Then an event "Failed" about a pod says "x" at least 0 times
