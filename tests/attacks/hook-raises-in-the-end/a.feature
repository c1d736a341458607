Feature: F
  Scenario: attacked
    Then it is not so
