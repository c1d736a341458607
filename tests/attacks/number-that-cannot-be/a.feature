Feature: Five of three

  Scenario: of
    Given deployment "web" runs 3 replicas of "hello:1"
    When I update it to "hello:2"
    Then 5 of 3 pods are ready

  Scenario: between
    Given deployment "web" runs 3 replicas of "hello:1"
    When I update it to "hello:2"
    Then between 5 and 3 pods are ready

  Scenario: negative
    Given deployment "web" runs 3 replicas of "hello:1"
    When I update it to "hello:2"
    Then -1 pods are ready
