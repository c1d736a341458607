Feature: Throughout

  Scenario: throughout
    Given deployment "web" runs 3 replicas of "hello:1"
    Then throughout, 3 pods were ready

  Scenario: before the When
    Given deployment "web" runs 3 replicas of "hello:1"
    Then throughout, 3 pods were ready
    When I scale it to 1 replica
    Then 1 pod is ready

  Scenario: at some time
    Given deployment "web" runs 3 replicas of "hello:1"
    Then at some time, 3 pods were ready

  Scenario: all along
    Given deployment "web" runs 3 replicas of "hello:1"
    Then the 3 pods that were ready all along were never restarted

  Scenario: replaced
    Given deployment "web" runs 3 replicas of "hello:1"
    Then no pods were replaced

  Scenario: created
    Given deployment "web" runs 3 replicas of "hello:1"
    Then no "hello:1" pods were created
