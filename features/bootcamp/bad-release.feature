Feature: A bad release never reaches our users
  The tag v10 does not exist. The rollout stops by itself while three of four pods go on serving,
  and an undo puts back what is missing: three pods are never touched.

  Background:
    Given image "jocatalin/kubernetes-bootcamp:v1" takes 10 seconds to stop
    And image "jocatalin/kubernetes-bootcamp:v10" does not exist
    And image "gcr.io/google-samples/kubernetes-bootcamp:v10" does not exist
    And deployment "kubernetes-bootcamp" runs 4 replicas of "jocatalin/kubernetes-bootcamp:v1"
    And service "kubernetes-bootcamp" for deployment "kubernetes-bootcamp" on port 8080

  Scenario Outline: Update to v10, see it get stuck, undo (<image>)
    When I update deployment "kubernetes-bootcamp" to v2
    Then the rollout completes
    When I note the moment "before the bad release"
    And I update deployment "kubernetes-bootcamp" to "<image>"
    Then 2 new pods show ImagePullBackOff
    And the rollout gets stuck
    And 3 of 4 pods are ready
    And deployment "kubernetes-bootcamp" has 3 ready, 2 up-to-date and 3 available replicas
    And the rollout status says "Waiting for deployment "kubernetes-bootcamp" rollout to finish: 2 out of 4 new replicas have been updated..."
    And an event "Failed" about a pod says "ErrImagePull" at least 4 times
    And an event "Failed" about a pod says "ImagePullBackOff" at least 4 times
    And service "kubernetes-bootcamp" has endpoints only on v2 pods
    When I undo the rollout
    Then the rollout completes
    And four v2 pods are running
    And since the moment "before the bad release", throughout, at least 3 pods were ready
    And since the moment "before the bad release", exactly 1 v2 pod was created
    And since the moment "before the bad release", the 3 pods that were ready all along were never restarted

    Examples:
      | image                                         |
      | jocatalin/kubernetes-bootcamp:v10             |
      | gcr.io/google-samples/kubernetes-bootcamp:v10 |

  Scenario: Nobody notices
    Given requests to service "kubernetes-bootcamp" every 100 milliseconds
    When I update deployment "kubernetes-bootcamp" to v10
    Then the rollout gets stuck
    When I undo the rollout
    Then the rollout completes
    And throughout, every request to service "kubernetes-bootcamp" was answered

  Scenario: The rollout exceeds its progress deadline and says so
    Given deployment "impatient" runs 2 replicas of "hello:1" with
      | progressDeadlineSeconds | 60 |
    And image "hello:10" does not exist
    When I update deployment "impatient" to "hello:10"
    Then within 2 minutes, the rollout exceeds its progress deadline
    And deployment "impatient" has condition "Progressing" that is "False" with reason "ProgressDeadlineExceeded"
    And throughout, 2 pods were ready
