"""A partner that is played: a gateway of its own, with keys of its own, that answers by script and attacks by catalogue.

`rig` holds the two gateways, `cast` says who plays with which application, `desk` is how the played national system is
connected, `behaviours` and `attacks` are the scenes, `script` says which of them are played, `report` what came of them.
"""
