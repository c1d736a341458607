Feature: F
  Scenario: S
    Given deployment "web" runs 1 replica of "hello:1"
    When I run `kubectl get pod absent`
    Then the command fails with "not found"
