Feature: A field path that leads nowhere equals nothing

  Scenario: is
    Given deployment "web" runs 3 replicas of "hello:1"
    Then its "spec.replcas" is 3

  Scenario: is not
    Given deployment "web" runs 3 replicas of "hello:1"
    Then its "spec.replcas" is not 4

  Scenario: is not, in a list
    Given deployment "web" runs 3 replicas of "hello:1"
    Then its "spec.template.spec.containers[7].image" is not "hello:2"

  Scenario: is not, of a condition
    Given deployment "web" runs 3 replicas of "hello:1"
    Then its "status.conditions[?(@.type=='Availabel')].status" is not "False"

  Scenario: condition
    Given deployment "web" runs 3 replicas of "hello:1"
    Then deployment "web" has condition "Availabel" that is "True"
