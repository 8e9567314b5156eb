"""The events there were, in an embedded database: imported once each, found again by what they say."""
