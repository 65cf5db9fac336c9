"""The store: one SQLite file that keeps every call, what was heard, what the rules said and what people did with it.

Only this package knows SQL; a module per subject.
"""

from audit.store.calls import (
    EVERY_CALL,
    AuditedCall,
    Failure,
    Filter,
    RuleCard,
    Run,
    Settings,
    Store,
    StoredCall,
    finding_keys,
)

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
