Feature: F
  Scenario: attacked
    Then nobody hears it

  Scenario: later
    Then all is well
