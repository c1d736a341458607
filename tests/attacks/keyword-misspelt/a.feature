Feature: F
  Scenario: S
    Whem I update it to v2
    Given deployment "web" runs 1 replica of "hello:1"
    Then 1 pod is ready
