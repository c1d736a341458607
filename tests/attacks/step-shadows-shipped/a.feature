Feature: F
  Scenario: S
    Given deployment "web" runs 1 replica of "hello:1"
    Then 4 pods are ready
