@needs-kubectl
Feature: The bootcamp tutorial, and what kubectl answers
  What a reader of "Performing a Rolling Update" sees: an update that is followed, a bad update that is
  looked into, the undo, and the history of it all.

  Background:
    Given image "jocatalin/kubernetes-bootcamp:v1" takes 30 seconds to stop
    And image "gcr.io/google-samples/kubernetes-bootcamp:v10" does not exist
    And deployment "kubernetes-bootcamp" runs 4 replicas of "jocatalin/kubernetes-bootcamp:v1"

  Scenario: The update is followed, and its pods are looked at
    When I run `kubectl set image deployments/kubernetes-bootcamp app=jocatalin/kubernetes-bootcamp:v2`
    Then the output contains "deployment.apps/kubernetes-bootcamp image updated"
    When I run `kubectl rollout status deployments/kubernetes-bootcamp`
    Then the output contains "successfully rolled out"
    When I run `kubectl get pods`
    Then the output contains "1/1     Terminating"
    And the output contains "1/1     Running"

  Scenario: The service is looked at
    When I expose deployment "kubernetes-bootcamp" on port 8080 as a NodePort
    Then service "kubernetes-bootcamp" has 4 endpoints
    When I run `kubectl describe services/kubernetes-bootcamp`
    Then the output contains "NodePort"
    And the output contains ":8080 + 1 more..."

  Scenario: The bad update is looked into, and undone
    When I update it to "gcr.io/google-samples/kubernetes-bootcamp:v10"
    And 2 minutes pass
    And I run `kubectl get deployments`
    Then the output contains "3/4     2            3"
    When I run `kubectl describe pods`
    Then the output contains "Error: ErrImagePull"
    And the output contains "(x4 over"
    When I run `kubectl rollout undo deployments/kubernetes-bootcamp`
    Then the output contains "deployment.apps/kubernetes-bootcamp rolled back"
    And the rollout completes
    And four v1 pods are running
    And the 3 pods that were ready all along were never restarted

  Scenario: The history is printed, and one revision of it
    When I update it to v2
    Then the rollout completes
    When I run `kubectl rollout history deployments/kubernetes-bootcamp`
    Then the output contains "REVISION  CHANGE-CAUSE"
    And the output contains "2         <none>"
    When I run `kubectl rollout history deployments/kubernetes-bootcamp --revision=2`
    Then the output contains "jocatalin/kubernetes-bootcamp:v2"
