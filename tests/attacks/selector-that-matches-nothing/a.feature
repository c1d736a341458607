Feature: No pods

  Scenario: no labels
    Given deployment "web" runs 3 replicas of "hello:1"
    When I update it to "hello:2"
    Then no pods labelled "app=wbe" are ready

  Scenario: all labels
    Given deployment "web" runs 3 replicas of "hello:1"
    When I update it to "hello:2"
    Then all pods labelled "app=wbe" are ready

  Scenario: image
    Given deployment "web" runs 3 replicas of "hello:1"
    When I update it to "hello:2"
    Then no "helo:1" pods exist

  Scenario: version
    Given deployment "web" runs 3 replicas of "hello:1"
    When I update it to "hello:2"
    Then no v9 pods exist

  Scenario: joined
    Given deployment "web" runs 3 replicas of "hello:1"
    When I update it to "hello:2"
    Then at some time, no v9 pods were terminating while 3 pods were ready
