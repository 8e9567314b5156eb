"""What many events have in common: severities, labels, the forms of their outputs, groups, noise, who talks to whom."""
