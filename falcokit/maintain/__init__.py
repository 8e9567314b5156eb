"""What is run when a release is made: makes the packaged index of the default rules and the ids of ATT&CK."""
