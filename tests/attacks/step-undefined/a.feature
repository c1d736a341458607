Feature: F
  Scenario: S
    Then three pods are hapy
