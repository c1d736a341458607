Feature: A bound that holds with room to spare

  Scenario: room to spare
    Given deployment "web" runs 3 replicas of "hello:1"
    When I update it to "hello:2"
    Then at most 100 pods are ready

  Scenario: as given
    Given deployment "web" runs 3 replicas of "hello:1"
    Then 3 pods are ready

  Scenario: as given, by field
    Given deployment "web" runs 3 replicas of "hello:1"
    Then its "spec.replicas" is 3

  Scenario: empty revision
    Given deployment "web" runs 3 replicas of "hello:1"
    When I update it to "hello:2"
    Then the rollout completes
    And no old pods exist
