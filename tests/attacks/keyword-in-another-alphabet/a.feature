Feature: F
  Scenario: S
    Тhen 5 pods are ready
    Given deployment "web" runs 1 replica of "hello:1"
    Then 1 pod is ready
