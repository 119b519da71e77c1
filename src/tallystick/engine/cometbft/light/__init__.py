"""CometBFT's headers, believed without a node: what is hashed and signed, and when that convinces.

    wire.py       protobuf as CometBFT writes it before hashing and signing
    blocks.py     header, commit, validators, light block; their hashes
    verify.py     forward by votes, backward by hashes
    rpcform.py    the JSON of CometBFT's RPC
    archive.py    light blocks kept before CometBFT forgets them
    keeping.py    fetches them, and compares them with the node's own log
    export.py     a proof that travels with the light blocks it needs

`blocks` and `verify` are pure: no network, no clock. The time is given.
"""
