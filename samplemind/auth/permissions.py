"""Who may do what. Everything that a client can ask for has its row here, and nowhere else: what
has none is refused, and a test finds it.

Whose things somebody may see is another matter, and in every query: another's are not found.
"""

from enum import Enum, auto


class Access(Enum):
    """Each but ANYONE takes somebody who has signed in."""

    ANYONE = auto()
    USER = auto()
    # Not by an API key: whoever finds one must not make others, or lock its owner out.
    PASSWORD = auto()
    ADMIN = auto()


PERMISSIONS = {
    "Query": {
        "__typename": Access.ANYONE,
        "__schema": Access.ANYONE,
        "__type": Access.ANYONE,
        "viewer": Access.ANYONE,
        "rateLimit": Access.ANYONE,
        "node": Access.USER,
        "nodes": Access.USER,
        "audioFiles": Access.USER,
        "batchJobs": Access.USER,
        "similarTo": Access.USER,
        "searchAudio": Access.USER,
        "libraryStats": Access.USER,
        "aiProviders": Access.USER,
        "auditEvents": Access.ADMIN,
    },
    "Mutation": {
        "__typename": Access.ANYONE,
        "registerUser": Access.ANYONE,
        "logIn": Access.ANYONE,
        "refreshSession": Access.ANYONE,
        "logOut": Access.PASSWORD,
        "deleteAccount": Access.PASSWORD,
        "createApiKey": Access.PASSWORD,
        "revokeApiKey": Access.PASSWORD,
        "updateAccount": Access.PASSWORD,
        # What is told goes on when the key that asked for it is revoked.
        "createWebhook": Access.PASSWORD,
        "updateWebhook": Access.PASSWORD,
        "rotateWebhookSecret": Access.PASSWORD,
        "deleteWebhook": Access.PASSWORD,
        "testWebhook": Access.USER,
        "sendWebhookAgain": Access.USER,
        "uploadAudio": Access.USER,
        "requestUpload": Access.USER,
        "completeUpload": Access.USER,
        "updateAudioFile": Access.USER,
        "acceptTags": Access.USER,
        "refuseTags": Access.USER,
        "deleteAudioFile": Access.USER,
        "analyzeAudio": Access.USER,
        "createBatchJob": Access.USER,
        "cancelBatchJob": Access.USER,
        "retryBatchJob": Access.USER,
    },
    "Subscription": {
        "__typename": Access.ANYONE,
        "batchProgress": Access.USER,
        "analysisUpdated": Access.USER,
    },
}
