Feature: Own steps that ask the official client for what the simulator does not do

  Scenario: attach
    Given deployment "web" runs 3 replicas of "hello:1"
    When I attach to a pod
    Then 3 pods are ready

  Scenario: template
    Given deployment "web" runs 3 replicas of "hello:1"
    When I make a template of pods
    Then 3 pods are ready

  Scenario: command
    Given deployment "web" runs 3 replicas of "hello:1"
    When I run a command in a pod
    Then 3 pods are ready
