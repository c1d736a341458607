Feature: Partial YAML with a field that there is not

  Scenario: unknown
    Given deployment "web" runs 3 replicas of "hello:1"
    Then deployment "web" matches
      """yaml
      spec: {replcas: 3}
      """

  Scenario: wrong case
    Given deployment "web" runs 3 replicas of "hello:1"
    Then deployment "web" matches
      """yaml
      spec: {Replicas: 3}
      """

  Scenario: nothing
    Given deployment "web" runs 3 replicas of "hello:1"
    Then deployment "web" matches
      """yaml
      {}
      """

  Scenario: twice
    Given deployment "web" runs 3 replicas of "hello:1"
    Then deployment "web" matches
      """yaml
      spec: {replicas: 4, replicas: 3}
      """
