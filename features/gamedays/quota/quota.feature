Feature: Scaling under a quota
  The sale begins, and somebody asks for more pods than the namespace may have. What is there has to go on
  serving, and the deployment has to say what holds it up.

  Background:
    Given the manifest "manifests/shop.yaml"
    And requests to service "shop" every 200 milliseconds

  Scenario: As many as there is room for
    When I scale deployment "shop" to 6 replicas
    Then within 1 minute, 6 pods are ready
    And throughout, every request to service "shop" was answered

  Scenario: More than there is room for
    When I scale deployment "shop" to 8 replicas
    Then within 1 minute, deployment "shop" has condition "ReplicaFailure" that is "True" with reason "FailedCreate"
    And within 1 minute, exactly 6 pods are ready
    And for 30 seconds, exactly 6 pods are ready
    And throughout, every request to service "shop" was answered

  Scenario: A release while the quota is full
    When I scale deployment "shop" to 6 replicas
    Then within 1 minute, 6 pods are ready
    When I update deployment "shop" to v2
    Then within 1 minute, deployment "shop" has condition "ReplicaFailure" that is "True" with reason "FailedCreate"
    And for 30 seconds, exactly 6 v1 pods are ready
    When I scale deployment "shop" to 4 replicas
    Then within 5 minutes, four v2 pods are running
    And throughout, at least 4 pods were ready
    And throughout, every request to service "shop" was answered
