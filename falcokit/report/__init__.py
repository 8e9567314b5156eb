"""Findings as text: for people, for programs.  Values in, text out."""
