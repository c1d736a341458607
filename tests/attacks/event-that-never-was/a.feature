Feature: An event of a reason that nobody ever gave

  Scenario: misspelt
    Given deployment "web" runs 3 replicas of "hello:1"
    And image "hello:2" does not exist
    When I update it to "hello:2"
    Then an event "Faild" about a pod says "ImagePullBackOff"
