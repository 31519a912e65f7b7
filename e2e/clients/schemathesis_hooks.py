"""What schemathesis has to know of Tidegate beside its document: how a run keeps its own access.

A run presents one person's token for thousands of calls. Cases that name that person or that token where they would
end its access (deleted, disabled, without its roles) are turned on one that does not exist: else the rest of the run
would meet nothing but 401. Everybody else may be deleted, disabled and locked out.
"""

import os

import schemathesis

OWN = frozenset(os.environ.get("TIDEGATE_OWN", "").lower().split())
NOBODY = "00000000-0000-7000-8000-000000000000"
ENDING = {"deleteToken", "deleteUser", "updateUser"}


@schemathesis.hook
def before_call(context, case, kwargs):
    if case.operation.definition.raw.get("operationId") not in ENDING:
        return
    for name, value in (case.path_parameters or {}).items():
        if str(value).lower() in OWN:
            case.path_parameters[name] = NOBODY
