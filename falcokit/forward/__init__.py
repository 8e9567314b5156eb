"""Events as other tools take them: what an integration is, the enriched event, and the messages of every format."""
