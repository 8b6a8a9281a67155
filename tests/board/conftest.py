"""The stores of the board's tests."""

from tests.boards import demo_store, folder, hostile_store, shelf

__all__ = ["demo_store", "folder", "hostile_store", "shelf"]
