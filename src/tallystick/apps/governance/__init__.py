"""The rules of the network: constitution, votes, parameters, calendars, activation, trial clock."""
