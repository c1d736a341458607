Feature: A window that begins at a moment that nobody noted

  Scenario: misspelt
    Given deployment "web" runs 3 replicas of "hello:1"
    When I note the moment "release"
    And I update it to "hello:2"
    Then since the moment "realease", throughout, at least 1 pod was ready
