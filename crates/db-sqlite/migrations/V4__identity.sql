-- Which database this is, chosen at random when it is made: a copy has the same, another database has another.
CREATE TABLE database_identity (
    only_row INTEGER NOT NULL PRIMARY KEY CHECK (only_row = 1),
    id       TEXT NOT NULL
) STRICT;

INSERT INTO database_identity (only_row, id) VALUES (1, lower(hex(randomblob(16))));
