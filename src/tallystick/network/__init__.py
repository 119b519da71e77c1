"""Networks of nodes: many on one machine for trials, and the steps that institutions take apart."""
