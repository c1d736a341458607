Feature: No old pods

  Scenario: same image
    Given deployment "web" runs 3 replicas of "hello:1"
    When I update it to "hello:1"
    Then no old pods exist
