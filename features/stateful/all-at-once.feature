Feature: Members that need not wait for each other
  With podManagementPolicy Parallel all members start at once. Updates go one after another even so.

  Background:
    Given image "cache:1" becomes ready after 10 seconds
    And image "cache:2" becomes ready after 10 seconds
    And statefulset "cache" runs 3 replicas of "cache:1" with
      | podManagementPolicy | Parallel                   |
      | readiness probe     | http :8080/readyz every 1s |

  Scenario: New members start together
    When I scale it to 6 replicas
    Then within 20 seconds, 6 pods are ready
    And at some time, 3 pods were pending

  Scenario: An update replaces one after another
    When I update it to "cache:2"
    Then the rollout completes
    And pods were replaced one at a time
    And 3 new pods are ready
