CREATE TABLE posts (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    author      INTEGER NOT NULL, -- an id of the users service, which has a database of its own
    author_name TEXT NOT NULL,
    title       TEXT NOT NULL,
    body        TEXT NOT NULL,
    created     TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ')),
    published   TEXT -- NULL: a draft
) STRICT;

CREATE TABLE tags (
    post INTEGER NOT NULL REFERENCES posts (id),
    tag  TEXT NOT NULL,
    PRIMARY KEY (post, tag)
) STRICT, WITHOUT ROWID;

CREATE INDEX tags_by_name ON tags (tag);

INSERT INTO posts (author, author_name, title, body, created, published) VALUES
    (1, 'Ada Lovelace', 'What the engine can weave', 'The engine weaves algebraic patterns just as a loom weaves flowers and leaves. It originates nothing; it does **what we know how to order it** to do.', '2026-01-07T10:00:00Z', '2026-01-08T08:00:00Z'),
    (2, 'Grace Hopper', 'Teaching a machine to read English', 'Nobody believed that a computer could do anything but arithmetic. So I wrote a compiler and stopped asking.', '2026-01-10T09:30:00Z', '2026-01-10T16:00:00Z'),
    (3, 'Alan Turing', 'On programs that do not stop', 'Suppose there were a program that says of every program whether it stops. Hand it itself, and ask again.', '2026-01-14T20:15:00Z', '2026-01-15T07:00:00Z'),
    (4, 'Edsger Dijkstra', 'The shortest way to Groningen', 'I designed it in twenty minutes, on a café terrace, without pencil and paper. That forces you to leave out what can be left out.', '2026-01-20T12:00:00Z', '2026-01-21T12:00:00Z'),
    (2, 'Grace Hopper', 'A nanosecond is a foot of wire', 'When an admiral asks why a satellite takes so long to answer, hand out nanoseconds: thirty centimetres of wire each.', '2026-02-02T08:20:00Z', '2026-02-03T09:00:00Z'),
    (4, 'Edsger Dijkstra', 'Testing shows the presence of bugs', 'It never shows their absence. What does, is a proof; what helps, is a program small enough to have one.', '2026-02-11T15:45:00Z', '2026-02-12T10:30:00Z'),
    (1, 'Ada Lovelace', 'House rules for comments', 'Write what you would say to the author across a table. Point at the line you mean.', '2026-02-14T09:00:00Z', '2026-02-14T09:05:00Z'),
    (3, 'Alan Turing', 'Can machines think?', 'A question too meaningless to deserve discussion. Let us ask instead whether you can tell which of us wrote this.', '2026-02-20T22:10:00Z', NULL);

INSERT INTO tags (post, tag) VALUES
    (1, 'history'), (1, 'engines'),
    (2, 'history'), (2, 'compilers'),
    (3, 'theory'),
    (4, 'algorithms'),
    (5, 'history'), (5, 'hardware'),
    (6, 'testing'), (6, 'theory'),
    (7, 'meta'),
    (8, 'theory'), (8, 'engines');
