Feature: F
  Scenario: S
    Given deployment "web" runs 1 replica of "hello:1"
    Then 1 pod is ready
