"""Logs that grow: a row of files, the one that is written and those that were rotated away, read on from any place that was reached."""
