Feature: Deleting pods of a version that there never was

  Scenario: delete
    Given deployment "web" runs 3 replicas of "hello:1"
    When I delete all v9 pods
    Then 3 pods are ready
