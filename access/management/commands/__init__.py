"""Commands of the access app, one verb each."""
