Feature: F
  Scenario: attacked
    Then it is skipped
