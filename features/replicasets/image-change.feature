Feature: A ReplicaSet keeps pods, it does not roll them out
  A ReplicaSet makes pods from its template and replaces those that go away. Pods that run are left
  alone when the template changes, so a new image reaches nobody until somebody deletes pods: that
  is why there are Deployments.

  Background:
    Given replica set "hello" runs 3 replicas of "mimaurer/hello-cisco:v1"

  Scenario: A new image leaves every running pod untouched
    When I update replica set "hello" to v2
    Then its "spec.template.spec.containers[0].image" is "mimaurer/hello-cisco:v2"
    And for 5 minutes, three v1 pods are running
    And no pods were created
    And the 3 pods that were ready all along were never restarted

  Scenario: Applying the second manifest, which differs in the image alone, does nothing to the pods
    When I apply
      """yaml
      apiVersion: apps/v1
      kind: ReplicaSet
      metadata:
        name: hello
      spec:
        replicas: 3
        selector:
          matchLabels: {app: hello}
        template:
          metadata:
            labels: {app: hello}
          spec:
            containers:
              - name: app
                image: mimaurer/hello-cisco:v2
                ports:
                  - containerPort: 8080
      """
    Then its "spec.template.spec.containers[0].image" is "mimaurer/hello-cisco:v2"
    And for 5 minutes, three v1 pods are running
    And no pods were replaced

  Scenario: A deleted pod comes back with the new image
    When I update it to v2
    And I delete a pod of replica set "hello"
    Then one v2 pod is running
    And two v1 pods are running
    And exactly 1 pod was created

  Scenario: Deleting all pods brings the new image, and downtime until the new pods are ready
    Given image "mimaurer/hello-cisco:v2" takes 10 seconds to start listening
    And service "hello" for replica set "hello" on port 8080
    And requests to service "hello" every 100 milliseconds
    When I update it to v2
    And I delete all v1 pods
    Then three v2 pods are running
    And at some time, no pods were ready
    And at least 1 request to service "hello" went unanswered

  Scenario: Deleting the set and creating another is quicker to type, and downtime all the same
    Given image "mimaurer/hello-cisco:v2" takes 10 seconds to start listening
    And service "hello" for replica set "hello" on port 8080
    And requests to service "hello" every 100 milliseconds
    When I delete replica set "hello"
    And I apply the manifest "manifests/hello-v2.yaml"
    Then three v2 pods are running
    And no v1 pods exist
    And at some time, no pods were ready
    And at least 1 request to service "hello" went unanswered
