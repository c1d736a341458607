Feature: F
  Scenario: attacked
    Given deployment "web" runs 1 replica of "hello:1"
    When I scale it to 2 replicas
    Then 2 pods are ready

  Scenario: well
    Given deployment "web" runs 1 replica of "hello:1"
    Then 1 pod is ready
