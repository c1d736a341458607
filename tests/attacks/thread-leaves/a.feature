Feature: F
  Scenario: attacked
    Then a thread leaves

  Scenario: later
    Then all is well
