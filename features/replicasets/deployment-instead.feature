Feature: A Deployment changes the image without downtime
  The change that a ReplicaSet cannot make: the Deployment makes a ReplicaSet for the new image and
  moves the pods over, a few at a time. What makes it free of downtime here: a readiness probe that
  keeps requests away from a pod until it listens, and a preStop sleep that lets the Service forget
  a pod before it stops.

  Scenario: Requests are answered throughout
    Given image "mimaurer/hello-cisco:v2" takes 10 seconds to start listening
    And deployment "hello" runs 3 replicas of "mimaurer/hello-cisco:v1" with
      | readiness probe | http :8080/readyz every 1s |
      | preStop sleep   | 5 seconds                  |
    And service "hello" for deployment "hello" on port 8080
    And requests to service "hello" every 100 milliseconds
    When I update deployment "hello" to v2
    Then the rollout completes
    And three v2 pods are running
    And no v1 pods are active
    And throughout, at least 3 pods were ready
    And throughout, every request to service "hello" was answered
