-- Dates are microseconds since the Unix epoch, sizes are bytes, ids are in their displayed form.
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS users (id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE IF NOT EXISTS api_keys (key TEXT PRIMARY KEY, user TEXT NOT NULL REFERENCES users) STRICT;
CREATE TABLE IF NOT EXISTS orgs (
    id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, domain TEXT NOT NULL UNIQUE, created INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS workspaces (
    id TEXT PRIMARY KEY, org TEXT NOT NULL REFERENCES orgs, name TEXT NOT NULL,
    folder_name TEXT NOT NULL UNIQUE, created INTEGER NOT NULL
) STRICT;

-- `parent` is a node id, 'root' or 'trash'. `trashed` also marks what lies below a trashed folder.
CREATE TABLE IF NOT EXISTS nodes (
    id TEXT PRIMARY KEY, workspace TEXT NOT NULL REFERENCES workspaces, parent TEXT NOT NULL,
    kind TEXT NOT NULL, name TEXT NOT NULL, version TEXT, created INTEGER NOT NULL, modified INTEGER NOT NULL,
    deleted INTEGER, deleted_from TEXT, trashed INTEGER NOT NULL DEFAULT 0, creator TEXT NOT NULL,
    title TEXT, short TEXT
) STRICT;
CREATE UNIQUE INDEX IF NOT EXISTS nodes_by_name ON nodes (workspace, parent, name) WHERE trashed = 0;
CREATE INDEX IF NOT EXISTS nodes_by_parent ON nodes (workspace, parent);
CREATE TABLE IF NOT EXISTS versions (
    id TEXT PRIMARY KEY, node TEXT NOT NULL REFERENCES nodes, blob TEXT NOT NULL, size INTEGER NOT NULL,
    sha256 TEXT NOT NULL, crc32c TEXT NOT NULL, created INTEGER NOT NULL, creator TEXT NOT NULL,
    upload TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS versions_by_node ON versions (node, created);

CREATE TABLE IF NOT EXISTS uploads (
    id TEXT PRIMARY KEY, user TEXT NOT NULL, workspace TEXT NOT NULL, folder TEXT NOT NULL, name TEXT NOT NULL,
    size INTEGER NOT NULL, target TEXT, status TEXT NOT NULL, message TEXT, node TEXT, file_crc32c TEXT,
    computed_crc32c TEXT, created INTEGER NOT NULL, updated INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS chunks (
    upload TEXT NOT NULL REFERENCES uploads ON DELETE CASCADE, position INTEGER NOT NULL, blob TEXT NOT NULL,
    size INTEGER NOT NULL, crc32c INTEGER NOT NULL, PRIMARY KEY (upload, position)
) STRICT;

CREATE TABLE IF NOT EXISTS comments (
    id TEXT PRIMARY KEY, workspace TEXT NOT NULL, node TEXT NOT NULL, author TEXT NOT NULL, parent TEXT,
    body TEXT NOT NULL, reference TEXT, properties TEXT, created INTEGER NOT NULL, updated INTEGER NOT NULL,
    deleted INTEGER
) STRICT;
CREATE INDEX IF NOT EXISTS comments_by_node ON comments (workspace, node, created);

CREATE TABLE IF NOT EXISTS fields (
    workspace TEXT NOT NULL, name TEXT NOT NULL COLLATE NOCASE, declared_type TEXT NOT NULL,
    PRIMARY KEY (workspace, name)
) STRICT;
CREATE TABLE IF NOT EXISTS facts (
    node TEXT NOT NULL, field TEXT NOT NULL COLLATE NOCASE, value TEXT NOT NULL, stored_type TEXT NOT NULL,
    updated INTEGER NOT NULL, PRIMARY KEY (node, field)
) STRICT;

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
