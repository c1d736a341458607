Feature: F
  Scenario: S
    Then these are so
      | true | false
