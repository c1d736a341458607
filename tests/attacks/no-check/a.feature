Feature: F
  @no-check
  Scenario: S
    Given deployment "web" runs 1 replica of "hello:1"
