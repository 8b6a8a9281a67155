"""The stores of the board's tests."""

from tests.boards import board_content, demo_store, folder, hostile_store

__all__ = ["board_content", "demo_store", "folder", "hostile_store"]
