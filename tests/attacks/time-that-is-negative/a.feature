Feature: Within less than no time

  Scenario: within
    Given deployment "web" runs 3 replicas of "hello:1"
    When I update it to "hello:2"
    Then within -5 seconds, 3 pods are ready

  Scenario: pass
    Given deployment "web" runs 3 replicas of "hello:1"
    When -3 seconds pass
    Then 3 pods are ready
