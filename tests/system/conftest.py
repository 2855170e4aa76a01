"""The browser's tests are collected only where `make test-system` has installed what they drive it with."""

from importlib.util import find_spec

collect_ignore = [] if find_spec("playwright") else ["test_browser.py", "test_clerk.py"]
