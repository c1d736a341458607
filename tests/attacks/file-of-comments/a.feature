# Feature: F
#   Scenario: S
#     Then 3 pods are ready
