"""Test files of rules: cases of events and what is expected of the rules, run and reported as findings."""
