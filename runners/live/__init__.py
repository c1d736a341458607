"""A live cluster behind the one door: any context of a kubeconfig, over the official client.

What each module knows:

    connection  how the API server is reached, and what to say when it cannot be
    discovery   which kinds it serves, and where
    api         the verbs on plain objects, repeated where that is honest
    fences      what a target of the settings allows
    changes     what was changed where the run owns nothing, and how it is put back
    history     watches, and what they have seen
    clock       time, and how to wait for a change
    rest        whether anything but retries is going on
    traffic     requests to services through the API server
    served      a `gherkube serve`, which can do what no other live cluster can
    faults      what can be broken
    namespace   the scenario's own namespace
    access      what the user may do, and what scenarios need
    cluster     all of these as a `Cluster`
"""
