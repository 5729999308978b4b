"""`make bench`: what a signed delivery costs our receiver, and what the servers that a user would write instead."""
