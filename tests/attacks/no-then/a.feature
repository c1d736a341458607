Feature: F
  Scenario: S
    Given deployment "web" runs 1 replica of "hello:1"
    When I scale it to 2 replicas
