"""The STATUS column of `kubectl get pods`, which judgements name pods by."""

from gherkube.runners.pod_status import pod_status

__all__ = ["pod_status"]
