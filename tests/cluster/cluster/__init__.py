"""A real one-node Kubernetes cluster with Temporal, in namespaces of its own, for the demo and the tests.

Standard library only. `python3 -m cluster --help` lists the commands; `tests/cluster/README.md` explains them.
"""
