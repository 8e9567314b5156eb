"""The default rules over their releases, and the ids of ATT&CK."""
