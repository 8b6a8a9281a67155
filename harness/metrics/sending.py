"""What the scorer knows of metrics that send text to a server."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from harness.types import Access, Metric


@runtime_checkable
class Asks(Protocol):
    """A metric that sends text to a server, and treats all text as credentialed until `permitted` names the access."""

    def permitted(self, access: Access) -> Metric:
        """The same metric for texts of that access.

        Raises:
            RefusedError: Such texts must not be sent to one of its servers.
        """
        ...
