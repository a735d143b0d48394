"""The shop from a notebook: orders, faults on switches, and load."""

from monlab.shop.customers import order, products, visits
from monlab.shop.faults import fault
from monlab.shop.load import load

__all__ = ["fault", "load", "order", "products", "visits"]
