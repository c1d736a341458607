Feature: A share

  Scenario: every
    Given deployment "web" runs 3 replicas of "hello:1"
    And service "web" for deployment "web" on port 8080
    When 5 seconds pass
    Then every request to service "web" is answered

  Scenario: throughout
    Given deployment "web" runs 3 replicas of "hello:1"
    And service "web" for deployment "web" on port 8080
    When 5 seconds pass
    Then throughout, every request to service "web" was answered

  Scenario: share
    Given deployment "web" runs 3 replicas of "hello:1"
    And service "web" for deployment "web" on port 8080
    When 5 seconds pass
    Then between 80% and 98% of requests to service "web" are answered by "hello:1"

  Scenario: outage
    Given deployment "web" runs 3 replicas of "hello:1"
    And service "web" for deployment "web" on port 8080
    When 5 seconds pass
    Then throughout, requests to service "web" went unanswered for at most 2 seconds
