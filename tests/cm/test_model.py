"""The tree of keys against the plainest model there is: dictionaries by upper-cased path and name."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from ntos.abi.status import NtError
from ntos.cm.node import KeyNode
from ntos.rtl.text import case_key

NAMES = st.sampled_from(["a", "A", "b", "Long Name", "ÄÖ", "äö", "z", "_", "0"])
DATA = st.binary(max_size=8)


class Model(RuleBasedStateMachine):
    """Every rule does the same to the tree and to the model."""

    def __init__(self) -> None:
        super().__init__()
        self.root = KeyNode("ROOT", None)
        self.nodes: dict[tuple[str, ...], KeyNode] = {(): self.root}
        self.values: dict[tuple[str, ...], dict[str, tuple[str, bytes]]] = {(): {}}

    def pick(self, number: int) -> tuple[str, ...]:
        """One of the keys there are."""
        return list(self.nodes)[number % len(self.nodes)]

    @rule(where=st.integers(0, 50), name=NAMES)
    def create(self, where: int, name: str) -> None:
        """A key is made where there is none of that name."""
        path = self.pick(where)
        below = (*path, case_key(name))
        if below in self.nodes:
            assert self.nodes[path].child(name) is self.nodes[below]
        else:
            self.nodes[below] = self.nodes[path].add(name)
            self.values[below] = {}

    @rule(where=st.integers(0, 50))
    def delete(self, where: int) -> None:
        """A key goes only while it has none below."""
        path = self.pick(where)
        if not path or any(other[: len(path)] == path and other != path for other in self.nodes):
            with pytest.raises(NtError, match="CANNOT_DELETE"):
                self.nodes[path].remove(0)
            return
        self.nodes.pop(path).remove(0)
        del self.values[path]

    @rule(where=st.integers(0, 50), name=NAMES, data=DATA)
    def set_value(self, where: int, name: str, data: bytes) -> None:
        """A value keeps its first spelling and its place."""
        path = self.pick(where)
        self.nodes[path].set_value(name, 3, data, 0)
        old = self.values[path].get(case_key(name))
        self.values[path][case_key(name)] = (old[0] if old else name, data)

    @rule(where=st.integers(0, 50), name=NAMES)
    def delete_value(self, where: int, name: str) -> None:
        """Deleting what is not there is an error."""
        path = self.pick(where)
        if case_key(name) in self.values[path]:
            self.nodes[path].delete_value(name, 0)
            del self.values[path][case_key(name)]
        else:
            with pytest.raises(NtError, match="OBJECT_NAME_NOT_FOUND"):
                self.nodes[path].delete_value(name, 0)

    @invariant()
    def agree(self) -> None:
        """Keys, their order, and values are the model's."""
        for path, node in self.nodes.items():
            below = sorted(other[-1] for other in self.nodes if other[:-1] == path and other)
            assert [case_key(child.name) for child in node.children] == below
            expected = list(self.values[path].values())
            assert [(value.name, value.data) for value in node.values] == expected


TestModel = Model.TestCase
