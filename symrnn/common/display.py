"""How values show themselves in Jupyter: they ask for a rule, and know none."""

from functools import singledispatch


@singledispatch
def mimebundle(value: object) -> dict[str, str]:
    """What Jupyter shows of a value, by MIME type.

    Raises:
        NotImplementedError: there is no rule for this kind of value.
    """
    raise NotImplementedError(f"no rule to show {type(value).__name__}")


class Displayed:
    """A value that Jupyter shows by the rule of `mimebundle` for its kind."""

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return mimebundle(self)
