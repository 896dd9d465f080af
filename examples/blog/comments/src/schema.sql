CREATE TABLE comments (
    id     INTEGER PRIMARY KEY,
    post   INTEGER NOT NULL, -- an id of the posts service, which has a database of its own
    author TEXT NOT NULL,
    text   TEXT NOT NULL,
    at     TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ'))
) STRICT;

CREATE INDEX comments_by_post ON comments (post, id);

INSERT INTO comments (post, author, text, at) VALUES
    (1, 'Lin Mei', 'Flowers and leaves! I wish my loom did that.', '2026-01-08T10:12:00Z'),
    (1, 'Alan Turing', 'It originates nothing, you say. I should like to object, at length.', '2026-01-08T19:40:00Z'),
    (1, 'Ada Lovelace', 'Then write it down, Alan.', '2026-01-09T08:01:00Z'),
    (2, 'Edsger Dijkstra', 'English is the wrong place to start.', '2026-01-11T09:00:00Z'),
    (2, 'Grace Hopper', 'It is where my customers start.', '2026-01-11T09:04:00Z'),
    (3, 'Lin Mei', 'I handed it itself. Still waiting.', '2026-01-16T21:30:00Z'),
    (4, 'Grace Hopper', 'Twenty minutes, and how many feet of wire?', '2026-01-21T13:15:00Z'),
    (4, 'Edsger Dijkstra', 'None. That was the point.', '2026-01-21T13:50:00Z'),
    (5, 'Lin Mei', 'May I keep mine?', '2026-02-03T12:00:00Z'),
    (5, 'Grace Hopper', 'Of course. The microsecond is too heavy to post.', '2026-02-03T12:20:00Z'),
    (6, 'Alan Turing', 'And who proves the proof?', '2026-02-12T23:45:00Z'),
    (7, 'Lin Mei', 'Which line do you mean?', '2026-02-14T11:11:00Z');
