Feature: F
  Scenario: S
    Then all is well
      """
      and it costs nothing
      """
