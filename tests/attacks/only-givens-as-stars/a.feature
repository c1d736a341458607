Feature: F
  Scenario: S
    * deployment "web" runs 1 replica of "hello:1"
    * namespace "production"
