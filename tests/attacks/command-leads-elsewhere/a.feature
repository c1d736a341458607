Feature: F
  Scenario: S
    Given deployment "web" runs 1 replica of "hello:1"
    When I run `kubectl --context production get pods`
    Then the command succeeds
