"""The store: one SQLite file that keeps every call, what was heard, what the rules said and what people did with it.

Only this package knows SQL; a module per subject.
"""

from audit.store.calls import (
    AuditedCall,
    Failure,
    RuleCard,
    Run,
    Settings,
    Store,
    StoredCall,
)
from audit.store.filters import EVERY_CALL, Filter
from audit.store.keys import finding_keys

__all__ = [
    "EVERY_CALL",
    "AuditedCall",
    "Failure",
    "Filter",
    "RuleCard",
    "Run",
    "Settings",
    "Store",
    "StoredCall",
    "finding_keys",
]
