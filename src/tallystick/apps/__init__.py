"""Financial applications, one folder each."""
