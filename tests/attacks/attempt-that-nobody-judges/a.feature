Feature: Something is tried and refused

  Scenario: works
    Given deployment "web" runs 3 replicas of "hello:1"
    When I try to scale it to 2 replicas
    Then 2 pods are ready
