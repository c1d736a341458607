Feature: F
  Scenario: S
    Then there are 3 things
