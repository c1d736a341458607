"""Clusters that gherkube makes with kind, on the containers of Docker: live clusters that it may break.

What each module knows:

    settings    the table [kind] of the settings, and what the command line says
    engine      the container engine, and what to say when it does not answer
    cli         the program kind
    shape       what a scenario needs of a cluster
    clusters    which clusters are there, who uses them, and how long they stay
    cluster     one of them as a `Cluster`
    nodes       the nodes of a cluster as containers
    images      images that do what a scenario says of them
    faults      what can be broken, and put right
"""
