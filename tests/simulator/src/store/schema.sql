-- Columns that came later are in `LATER_COLUMNS`.
-- Dates are microseconds since the Unix epoch, sizes are bytes, ids are in their displayed form.
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS users (id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE IF NOT EXISTS api_keys (
    key TEXT PRIMARY KEY, user TEXT NOT NULL REFERENCES users,
    events_search INTEGER NOT NULL DEFAULT 1, org_changes INTEGER NOT NULL DEFAULT 1
) STRICT;
CREATE TABLE IF NOT EXISTS orgs (
    id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, domain TEXT NOT NULL UNIQUE, created INTEGER NOT NULL,
    external INTEGER NOT NULL DEFAULT 0
) STRICT;
-- Workspaces and shares: both hold files in the same way. `kind` says which of the two.
CREATE TABLE IF NOT EXISTS workspaces (
    id TEXT PRIMARY KEY, org TEXT NOT NULL REFERENCES orgs, name TEXT NOT NULL,
    folder_name TEXT NOT NULL UNIQUE, created INTEGER NOT NULL, kind TEXT NOT NULL DEFAULT 'workspace'
) STRICT;

-- `parent` is a node id, 'root' or 'trash'. `trashed` also marks what lies below a trashed folder.
CREATE TABLE IF NOT EXISTS nodes (
    id TEXT PRIMARY KEY, workspace TEXT NOT NULL REFERENCES workspaces, parent TEXT NOT NULL,
    kind TEXT NOT NULL, name TEXT NOT NULL, version TEXT, created INTEGER NOT NULL, modified INTEGER NOT NULL,
    deleted INTEGER, deleted_from TEXT, trashed INTEGER NOT NULL DEFAULT 0, creator TEXT NOT NULL,
    title TEXT, short TEXT, link TEXT
) STRICT;
CREATE UNIQUE INDEX IF NOT EXISTS nodes_by_name ON nodes (workspace, parent, name) WHERE trashed = 0;
CREATE INDEX IF NOT EXISTS nodes_by_parent ON nodes (workspace, parent);
CREATE TABLE IF NOT EXISTS versions (
    id TEXT PRIMARY KEY, node TEXT NOT NULL REFERENCES nodes, blob TEXT NOT NULL, size INTEGER NOT NULL,
    sha256 TEXT NOT NULL, crc32c TEXT NOT NULL, created INTEGER NOT NULL, creator TEXT NOT NULL,
    upload TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS versions_by_node ON versions (node, created);
CREATE INDEX IF NOT EXISTS versions_by_blob ON versions (blob);
-- What the virus scan says about bytes; those without a row are clean.
CREATE TABLE IF NOT EXISTS scans (
    blob TEXT PRIMARY KEY, status TEXT NOT NULL, reason TEXT
) STRICT;
CREATE TABLE IF NOT EXISTS locks (
    node TEXT PRIMARY KEY REFERENCES nodes ON DELETE CASCADE, token TEXT NOT NULL, owner TEXT NOT NULL,
    client_info TEXT, seconds INTEGER NOT NULL, created INTEGER NOT NULL, expires INTEGER NOT NULL
) STRICT;
-- Purged files, so that reading one can still be told from reading something that never was.
CREATE TABLE IF NOT EXISTS purged (
    node TEXT PRIMARY KEY, workspace TEXT NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS upload_sessions (
    id TEXT PRIMARY KEY, user TEXT NOT NULL, workspace TEXT, folder TEXT NOT NULL, name TEXT NOT NULL,
    size INTEGER, target TEXT, if_version TEXT, status TEXT NOT NULL, message TEXT, node TEXT, file_crc32c TEXT,
    computed_crc32c TEXT, stream INTEGER NOT NULL DEFAULT 0, max_size INTEGER, source_url TEXT,
    created INTEGER NOT NULL, updated INTEGER NOT NULL
) STRICT;
-- Bytes of a session that names no place: assembled, and waiting for `addfile`.
CREATE TABLE IF NOT EXISTS assembled (
    upload TEXT PRIMARY KEY REFERENCES upload_sessions ON DELETE CASCADE, blob TEXT NOT NULL, size INTEGER NOT NULL,
    sha256 TEXT NOT NULL, crc32c INTEGER NOT NULL
) STRICT;
-- Answers of batch uploads, as they were given.
CREATE TABLE IF NOT EXISTS batches (
    id TEXT PRIMARY KEY, user TEXT NOT NULL, answer TEXT NOT NULL, created INTEGER NOT NULL
) STRICT;
-- What web uploads find at a URL; nothing is ever fetched.
CREATE TABLE IF NOT EXISTS web_sources (
    url TEXT PRIMARY KEY, blob TEXT NOT NULL, size INTEGER NOT NULL, sha256 TEXT NOT NULL, crc32c INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS upload_chunks (
    upload TEXT NOT NULL REFERENCES upload_sessions ON DELETE CASCADE, position INTEGER NOT NULL, blob TEXT NOT NULL,
    size INTEGER NOT NULL, crc32c INTEGER NOT NULL, PRIMARY KEY (upload, position)
) STRICT;

CREATE TABLE IF NOT EXISTS comments (
    id TEXT PRIMARY KEY, workspace TEXT NOT NULL, node TEXT NOT NULL, author TEXT NOT NULL, parent TEXT,
    body TEXT NOT NULL, reference TEXT, properties TEXT, created INTEGER NOT NULL, updated INTEGER NOT NULL,
    deleted INTEGER
) STRICT;
CREATE INDEX IF NOT EXISTS comments_by_node ON comments (workspace, node, created);
CREATE TABLE IF NOT EXISTS reactions (
    comment TEXT NOT NULL REFERENCES comments ON DELETE CASCADE, user TEXT NOT NULL, emoji TEXT NOT NULL,
    created INTEGER NOT NULL, PRIMARY KEY (comment, user)
) STRICT;
CREATE TABLE IF NOT EXISTS attachments (
    comment TEXT NOT NULL REFERENCES comments ON DELETE CASCADE, node TEXT NOT NULL, created INTEGER NOT NULL,
    PRIMARY KEY (comment, node)
) STRICT;

CREATE TABLE IF NOT EXISTS fields (
    workspace TEXT NOT NULL, name TEXT NOT NULL COLLATE NOCASE, declared_type TEXT NOT NULL,
    PRIMARY KEY (workspace, name)
) STRICT;
CREATE TABLE IF NOT EXISTS facts (
    node TEXT NOT NULL, field TEXT NOT NULL COLLATE NOCASE, value TEXT NOT NULL, stored_type TEXT NOT NULL,
    updated INTEGER NOT NULL, PRIMARY KEY (node, field)
) STRICT;
CREATE TABLE IF NOT EXISTS fact_versions (
    id TEXT PRIMARY KEY, node TEXT NOT NULL, user TEXT NOT NULL, items TEXT NOT NULL, created INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS fact_versions_by_node ON fact_versions (node, created);

CREATE TABLE IF NOT EXISTS events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, event TEXT NOT NULL,
    category TEXT NOT NULL, sub_category TEXT NOT NULL, org TEXT NOT NULL, workspace TEXT NOT NULL,
    object TEXT NOT NULL, user TEXT NOT NULL, created INTEGER NOT NULL, acknowledged INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX IF NOT EXISTS events_by_workspace ON events (workspace, seq);
CREATE INDEX IF NOT EXISTS events_by_org ON events (org, seq);

CREATE TABLE IF NOT EXISTS webhooks (
    id TEXT PRIMARY KEY, workspace TEXT NOT NULL, url TEXT NOT NULL, events TEXT NOT NULL, secret TEXT NOT NULL,
    enabled INTEGER NOT NULL, created INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS deliveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT, webhook TEXT NOT NULL, workspace TEXT NOT NULL, event TEXT NOT NULL,
    event_type TEXT NOT NULL, body BLOB NOT NULL, state TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,
    last_status INTEGER, last_error TEXT, created INTEGER NOT NULL, next_attempt INTEGER NOT NULL, finished INTEGER
) STRICT;
CREATE INDEX IF NOT EXISTS deliveries_due ON deliveries (state, next_attempt);
CREATE INDEX IF NOT EXISTS deliveries_by_workspace ON deliveries (workspace, id);

-- What a registration of the retired API has beside a row in `webhooks`, under the same id.
CREATE TABLE IF NOT EXISTS subscriptions (
    id TEXT PRIMARY KEY, workspace TEXT NOT NULL, event_types TEXT NOT NULL,
    description TEXT, rate_limit_per_hour INTEGER NOT NULL DEFAULT 0, family_allowlist TEXT NOT NULL DEFAULT '[]',
    created INTEGER NOT NULL
) STRICT;
