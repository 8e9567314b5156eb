"""The disk: finding and reading rules files.  With the rooms beside it the only one that touches files."""
