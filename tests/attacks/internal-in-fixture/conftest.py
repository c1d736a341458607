"""Breaks gherkube: its fixture asks for what the simulator does not have."""

import gherkube.runners.simulator.cluster

del gherkube.runners.simulator.cluster.Simulator.close
