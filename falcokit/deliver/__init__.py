"""Events to where a team looks: read from logs, standard input or the history, and delivered at least once."""
