Feature: F
  Scenario: attacked
    Then all is well
