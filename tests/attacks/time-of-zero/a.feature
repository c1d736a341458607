Feature: Within

  Scenario: within
    Given deployment "web" runs 3 replicas of "hello:1"
    When I update it to "hello:2"
    Then within 0 seconds, 3 pods are ready

  Scenario: for
    Given deployment "web" runs 3 replicas of "hello:1"
    When I update it to "hello:2"
    Then for 0 seconds, 3 pods are ready

  Scenario: pass
    Given deployment "web" runs 3 replicas of "hello:1"
    When 0 seconds pass
    Then 3 pods are ready

  Scenario: every
    Given deployment "web" runs 3 replicas of "hello:1"
    And service "web" for deployment "web" on port 8080
    And requests to service "web" every 0 seconds
    When 5 seconds pass
    Then every request to service "web" is answered
