"""What the desk's page Insights shows: how far each class of actions can be trusted, and on what that stands; it changes no row."""

from .reading import DAYS, insight, is_known, overview
from .shapes import ClassInsight, Line

__all__ = ["DAYS", "ClassInsight", "Line", "insight", "is_known", "overview"]
