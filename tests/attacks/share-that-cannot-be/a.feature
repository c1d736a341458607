Feature: More than all requests

  Scenario: too many
    Given deployment "web" runs 3 replicas of "hello:1"
    And service "web" for deployment "web" on port 8080
    When I send 20 requests to service "web"
    Then at least 120% of requests to service "web" are answered by "hello:1"

  Scenario: backwards
    Given deployment "web" runs 3 replicas of "hello:1"
    And service "web" for deployment "web" on port 8080
    When I send 20 requests to service "web"
    Then between 98% and 80% of requests to service "web" are answered by "hello:1"

  Scenario: any
    Given deployment "web" runs 3 replicas of "hello:1"
    And service "web" for deployment "web" on port 8080
    When I send 20 requests to service "web"
    Then between 0% and 100% of requests to service "web" are answered by "hello:1"
