Feature: The bootcamp tutorial: update an application, and undo a bad update
  The story of the Kubernetes basics tutorial "Performing a Rolling Update", told from its first
  rollout to the undo.

  Background:
    Given a cluster with 3 nodes
    And image "jocatalin/kubernetes-bootcamp:v1" takes 30 seconds to stop
    And image "jocatalin/kubernetes-bootcamp:v2" takes 30 seconds to stop
    And deployment "kubernetes-bootcamp" runs 4 replicas of "jocatalin/kubernetes-bootcamp:v1"

  Scenario: Four replicas run on several nodes
    Then four v1 pods are running
    And deployment "kubernetes-bootcamp" has 4 ready, 4 up-to-date and 4 available replicas
    And pods run on at least 2 nodes

  Scenario: Old pods terminate side by side with the new ones
    When I update deployment "kubernetes-bootcamp" to v2
    Then the rollout completes
    And the rollout status says "successfully rolled out"
    And four v2 pods are running
    And at some time, 4 v1 pods were terminating while 4 v2 pods were running
    And within 1 minute, no v1 pods exist
    And throughout, at least 3 pods were ready
    And throughout, at most 5 pods were active
    And v2 pods match
      """yaml
      spec: {containers: [{image: "jocatalin/kubernetes-bootcamp:v2"}]}
      """

  Scenario: A node port reaches the new version on several pods
    When I expose deployment "kubernetes-bootcamp" on port 8080 as a NodePort
    And I update deployment "kubernetes-bootcamp" to v2
    Then the rollout completes
    And service "kubernetes-bootcamp" has 4 endpoints
    And service "kubernetes-bootcamp" has endpoints only on v2 pods
    When I send 20 requests to the node port of service "kubernetes-bootcamp"
    Then every request to service "kubernetes-bootcamp" is answered
    And requests to service "kubernetes-bootcamp" are answered by at least 3 different pods
    And requests to service "kubernetes-bootcamp" are answered by v2 only
    And every answer contains "v=2"

  Scenario: An image that serves while it stops loses no request
    The original image takes its time to stop and goes on answering meanwhile: nobody notices.
    Given service "kubernetes-bootcamp" for deployment "kubernetes-bootcamp" on port 8080
    And requests to service "kubernetes-bootcamp" every 100 milliseconds
    When I update deployment "kubernetes-bootcamp" to v2
    Then the rollout completes
    And within 1 minute, no v1 pods exist
    And throughout, every request to service "kubernetes-bootcamp" was answered
