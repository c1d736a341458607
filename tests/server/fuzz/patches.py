"""Operations of JSON patches, directives of strategic ones, options of deletions: sound, odd and wrong."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.server.fuzz.values import HOSTILE

POINTERS = st.sampled_from(
    (
        *(
            "",
            "/",
            "/a",
            "//",
            "/metadata/name",
            "/metadata/labels/app",
            "/metadata/labels/a~1b",
            "/metadata/labels/~",
        ),
        *(
            "/metadata/labels/~2",
            "/spec",
            "/spec/replicas",
            "/spec/template/spec/containers/0/image",
            "/spec/ports/-",
        ),
        *(
            "/spec/template/spec/containers/-",
            "/spec/template/spec/containers/-1",
            "/spec/template/spec/containers/01",
        ),
        *(
            "/spec/template/spec/containers/1e0",
            "/spec/template/spec/containers/" + "9" * 30,
            "/data/a",
            "/data",
            "/status",
        ),
        *(
            "/metadata",
            "/kind",
            "/apiVersion",
            "/metadata/uid",
            "/metadata/resourceVersion",
            "/metadata/managedFields",
        ),
        *(
            "metadata",
            "/spec/" + "x/" * 300,
            "/metadata/annotations/٣",
            "/spec/containers/²",
            "/spec/containers/+0",
        ),
    )
)
OPERATIONS = st.one_of(
    st.lists(
        st.fixed_dictionaries(
            {
                "op": st.sampled_from(("add", "remove", "replace", "move", "copy", "test", "other", None)),
                "path": POINTERS,
            },
            optional={"value": HOSTILE, "from": POINTERS},
        ),
        max_size=4,
    ),
    st.sampled_from(
        (
            [{"op": "add", "path": "/metadata/annotations", "value": {"a": "b" * 1000}}]
            + [
                {"op": "copy", "from": "/metadata/annotations", "path": f"/metadata/annotations/{n}"}
                for n in range(40)
            ],
            [{"op": "copy", "from": "/spec", "path": "/spec/x"}] * 25,
            [{"op": "test", "path": "/kind", "value": "x"}] * 20_000,
        )
    ),
)
DIRECTIVES = st.one_of(
    HOSTILE,
    st.sampled_from(
        (
            *(
                {"$patch": "replace"},
                {"$patch": "delete"},
                {"$patch": "merge"},
                {"$patch": "nonsense"},
                {"$patch": []},
            ),
            *(
                {"$retainKeys": ["type"]},
                {"$retainKeys": "type"},
                {"$retainKeys": [{}]},
                {"$patch": "delete", "name": "app"},
            ),
            *(
                {"$deleteFromPrimitiveList/finalizers": ["x"]},
                {"$deleteFromPrimitiveList/finalizers": {}},
                {"$setElementOrder/": 1},
            ),
            *(
                {"$setElementOrder/containers": [{"name": "app"}]},
                {"$setElementOrder/containers": [5]},
                [{"$patch": "replace"}],
            ),
            *(
                {"$setElementOrder/finalizers": ["b", "a"]},
                [{"$patch": "delete", "name": "app"}],
                [{"name": None}],
                [{}],
                [[]],
            ),
        )
    ),
)
DELETIONS = st.fixed_dictionaries(
    {},
    optional={
        "kind": st.just("DeleteOptions"),
        "apiVersion": st.sampled_from(("v1", "meta.k8s.io/v1", "x")),
        "gracePeriodSeconds": st.sampled_from((0, 1, 30, -1, None, "5", 1 << 40)),
        "propagationPolicy": st.sampled_from(("Background", "Foreground", "Orphan", "Other", 5)),
        "preconditions": st.sampled_from(({}, {"uid": "x"}, {"resourceVersion": "1"}, {"uid": 5}, [], "x")),
        "dryRun": st.sampled_from((["All"], [], "All", ["x"], None)),
    },
)
