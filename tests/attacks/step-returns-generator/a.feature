Feature: F
  Scenario: attacked
    Then they are judged
