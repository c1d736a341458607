Feature: Judgements about a workload

  Scenario: deployment
    Given deployment "web" runs 3 replicas of "hello:1"
    Then deployment "wbe" has 0 ready replicas

  Scenario: its pods
    Given deployment "web" runs 3 replicas of "hello:1"
    Then no pods of deployment "wbe" exist

  Scenario: service
    Given deployment "web" runs 3 replicas of "hello:1"
    Then service "wbe" has 0 endpoints

  Scenario: pod
    Given deployment "web" runs 3 replicas of "hello:1"
    Then pod "web-0" is ready

  Scenario: node
    Given deployment "web" runs 3 replicas of "hello:1"
    Then no pods run on node "node-9"
