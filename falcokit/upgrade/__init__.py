"""The default rules over their releases."""
