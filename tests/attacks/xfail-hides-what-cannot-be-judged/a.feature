Feature: F
  @xfail
  Scenario: attacked
    Then nobody can tell
