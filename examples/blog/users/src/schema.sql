CREATE TABLE users (
    id      INTEGER PRIMARY KEY AUTOINCREMENT, -- an id is never given twice: articles remember it
    handle  TEXT NOT NULL UNIQUE,
    name    TEXT NOT NULL,
    email   TEXT NOT NULL UNIQUE COLLATE NOCASE,
    role    TEXT NOT NULL CHECK (role IN ('reader', 'author', 'editor')),
    bio     TEXT,
    website TEXT,
    joined  TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ'))
) STRICT;

INSERT INTO users (handle, name, email, role, bio, website, joined) VALUES
    ('ada', 'Ada Lovelace', 'ada@example.org', 'editor', 'Notes longer than the paper they are about.', 'https://example.org/ada', '2026-01-05T09:00:00Z'),
    ('grace', 'Grace Hopper', 'grace@example.org', 'author', 'Carries a nanosecond in her pocket.', 'https://example.org/grace', '2026-01-06T14:30:00Z'),
    ('alan', 'Alan Turing', 'alan@example.org', 'author', 'Runs marathons, and sometimes halts.', NULL, '2026-01-09T07:45:00Z'),
    ('edsger', 'Edsger Dijkstra', 'edsger@example.org', 'author', NULL, NULL, '2026-01-12T11:20:00Z'),
    ('lin', 'Lin Mei', 'lin@example.org', 'reader', 'Here for the comments.', NULL, '2026-02-01T18:05:00Z');
