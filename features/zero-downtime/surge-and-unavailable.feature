Feature: How many pods a rolling update may add and take away
  maxSurge and maxUnavailable are numbers or percentages of the replicas; a surge is rounded up,
  an unavailable share down. Without them both are 25 %.

  Scenario: The defaults: of four pods one may be missing and one too many
    Given deployment "web" runs 4 replicas of "hello:1"
    When I update it to "hello:2"
    Then the rollout completes
    And throughout, at least 3 pods were available
    And throughout, at most 5 pods were active
    And at some time, exactly 5 pods were active
    And at some time, exactly 3 pods were available

  Scenario Outline: <surge> more, <unavailable> fewer, of <replicas>
    Given deployment "web" runs <replicas> replicas of "hello:1" with
      | maxSurge       | <surge>       |
      | maxUnavailable | <unavailable> |
    When I update it to "hello:2"
    Then the rollout completes
    And throughout, at least <fewest> pods were available
    And throughout, at most <most> pods were active
    And at some time, exactly <most> pods were active
    And at some time, exactly <fewest> pods were available

    Examples: numbers
      | replicas | surge | unavailable | fewest | most |
      | 4        | 1     | 0           | 4      | 5    |
      | 4        | 0     | 1           | 3      | 4    |
      | 6        | 3     | 2           | 4      | 9    |

    Examples: percentages
      | replicas | surge | unavailable | fewest | most |
      | 10       | 25%   | 25%         | 8      | 13   |
      | 3        | 50%   | 0%          | 3      | 5    |
      | 5        | 0%    | 50%         | 3      | 5    |

  Scenario: Neither more nor fewer is refused
    Given deployment "web" runs 4 replicas of "hello:1"
    When I try to patch deployment "web" with
      """yaml
      spec: {strategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: 0}}}
      """
    Then the attempt is refused with "may not be 0 when `maxSurge` is 0"

  Scenario: The service sends only to available pods
    Given image "hello:2" becomes ready after 20 seconds
    And deployment "web" runs 4 replicas of "hello:1" with
      | readiness probe | http :8080/readyz every 1s |
    And service "web" for deployment "web" on port 8080
    When I update it to "hello:2"
    Then the rollout completes
    And at some time, 2 new pods were active while service "web" had 3 endpoints
    And throughout, service "web" had at least 3 endpoints
