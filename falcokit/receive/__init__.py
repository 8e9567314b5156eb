"""Events that others send over HTTP: on disk before they are acknowledged, then put into the history."""
