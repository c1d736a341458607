Feature: A service has endpoints on one version only

  Scenario: none
    Given deployment "web" runs 3 replicas of "hello:1"
    And service "web" for deployment "web" on port 8080
    When I scale it to 0 replicas
    Then service "web" has 0 endpoints
    And service "web" has endpoints only on "hello:1" pods
