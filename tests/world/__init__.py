"""The world in which the demo and the end-to-end tests take place: the cluster with the chart installed, Temporal, and
the simulated Fast.io, each talked to by the tool that a user would take. Shares no code with the Rust parts."""
