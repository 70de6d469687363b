"""What differs between two machines' answers to one request, to the bit."""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class Difference:
    """One tensor, or one message of values, that is not the same."""

    name: str
    elements: int
    different: int
    share: float  # the largest difference, as a share of the tensor's largest value

    def __str__(self):
        return f"{self.name}: {self.different} of {self.elements}, by {self.share:.1e} of the largest at most"


def _bits(array):
    return np.ascontiguousarray(array).view(f"u{array.itemsize}")


def _of_arrays(name, ours, theirs):
    different = int(np.count_nonzero(_bits(ours) != _bits(theirs)))
    if different == 0:
        return []
    finite = np.isfinite(ours) & np.isfinite(theirs)
    a, b = ours[finite].astype(np.float64), theirs[finite].astype(np.float64)
    largest = np.abs(a).max(initial=0) or 1.0
    return [Difference(name, ours.size, different, float(np.abs(a - b).max(initial=0) / largest))]


def _numbers(message):
    """All floating-point numbers of a message, in its fields' order."""
    for field, value in message.ListFields():
        several = value if field.is_repeated else [value]
        if field.cpp_type in (field.CPPTYPE_FLOAT, field.CPPTYPE_DOUBLE):
            yield from several
        elif field.cpp_type == field.CPPTYPE_MESSAGE:
            for inner in several:
                yield from _numbers(inner)


def _of_values(ours, theirs):
    if ours.SerializeToString(deterministic=True) == theirs.SerializeToString(deterministic=True):
        return []
    pair = [np.array(list(_numbers(message))) for message in (ours, theirs)]
    if pair[0].shape == pair[1].shape and (found := _of_arrays(f"{ours.info.name}{_runs(ours.info)} (values)", *pair)):
        return found
    return [Difference(f"{ours.info.name}{_runs(ours.info)} (values)", 1, 1, float("nan"))]


def _runs(info):
    return f" of run {info.runs[0]}" if info.runs else ""


def differences(ours, theirs):
    """In the order in which the server computes the values, so that the first is where the machines part."""
    assert [info.SerializeToString() for info in ours.inputs] == [info.SerializeToString() for info in theirs.inputs]
    assert [info for info, _ in ours.tensors] == [info for info, _ in theirs.tensors]
    assert [values.info for values in _in_order(ours)] == [values.info for values in _in_order(theirs)]
    assert ours.trailer.nonfinite == theirs.trailer.nonfinite
    found = []
    for (info, array), (_, other) in zip(ours.tensors, theirs.tensors, strict=True):
        found += _of_arrays(info.name + _runs(info), array, other)
    for values, other in zip(_in_order(ours), _in_order(theirs), strict=True):
        found += _of_values(values, other)
    return found


def _in_order(extraction):
    return sorted(extraction.values, key=lambda values: values.tensor)
