Feature: All pods are as they should be

  Scenario: never any
    Given deployment "web" runs 0 replicas of "hello:1"
    Then all pods are ready

  Scenario: no more
    Given deployment "web" runs 3 replicas of "hello:1"
    When I scale it to 0 replicas
    Then no pods exist
    And all pods are ready

  Scenario: match
    Given deployment "web" runs 3 replicas of "hello:1"
    When I scale it to 0 replicas
    Then no pods exist
    And pods match
      """yaml
      spec: {nodeName: nowhere}
      """
