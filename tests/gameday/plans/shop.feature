Feature: A shop to break

  Background:
    Given the manifest "manifests/shop.yaml"

  Scenario: Fewer of it
    When I scale deployment "web" to 2 replicas
    Then 2 pods of deployment "web" are ready

  Scenario: All at once
    When I update deployment "web" to "hello:2"
    And I patch deployment "web" with
      """
      metadata: {labels: {team: null, also: us}, annotations: {note: otherwise}}
      spec: {minReadySeconds: 1}
      """
    And I apply the manifest "manifests/more.yaml"
    And somebody deletes the config map "notes"
    And I delete a pod of deployment "web"
    Then the rollout of deployment "web" completes

  Scenario: It takes long
    When I scale deployment "web" to 1 replica
    And 10 minutes pass
    Then 1 pod of deployment "web" is ready

  Scenario: Somebody is said to be slow
    Given image "hello:2" takes 1 second to stop
    And image "hello:2" never becomes ready
    When I scale deployment "web" to 2 replicas
    Then 2 pods of deployment "web" are ready

  Scenario: It is killed
    Given image "hello:2" never becomes ready
    When I scale deployment "web" to 2 replicas
    And the computer loses its power
    Then 2 pods of deployment "web" are ready

  Scenario: Somebody never answers
    When I scale deployment "web" to 2 replicas
    And somebody is asked who never answers
    Then 2 pods of deployment "web" are ready

  Scenario: Somebody will not hear
    When I scale deployment "web" to 2 replicas
    And somebody goes on whatever happens
    Then 2 pods of deployment "web" are ready

  Scenario: It goes wrong
    When I scale deployment "web" to 2 replicas
    Then throughout, 7 pods of deployment "web" were ready

  Scenario: Somebody stops it
    When I scale deployment "web" to 2 replicas
    And somebody presses ^C 2 times
    And 10 minutes pass
    Then 2 pods of deployment "web" are ready

  Scenario: Somebody halts it
    When I scale deployment "web" to 2 replicas
    And somebody halts it from another computer
    And 10 minutes pass
    Then 2 pods of deployment "web" are ready

  Scenario: Somebody else changes it, too
    When I scale deployment "web" to 2 replicas
    And I update deployment "web" to "hello:2"
    And somebody else scales deployment "web" to 4
    Then 4 pods of deployment "web" are ready
