Feature: A revision

  Scenario: revision
    Given deployment "web" runs 3 replicas of "hello:1"
    Then revision 7 of the rollout history has image "hello:1"

  Scenario: one at a time
    Given deployment "web" runs 3 replicas of "hello:1"
    When 5 seconds pass
    Then pods were replaced one at a time
