Feature: Every answer contains it

  Scenario: none
    Given deployment "web" runs 3 replicas of "hello:1"
    And service "web" for deployment "web" on port 8080
    When 5 seconds pass
    Then every answer contains "v=2"
