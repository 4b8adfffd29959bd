-- Which instances of the service are live, and which of them acts: the registry of the election, for the processes of one
-- machine. Times are milliseconds since 1970-01-01T00:00:00Z, by the registry's own clock.

-- The registry's clock: what the time was when the machine had run for so long. Nobody who sets the machine's clock moves
-- it; after a restart of the machine it is set anew, never back.
CREATE TABLE registry_clock (
    only_row  INTEGER NOT NULL PRIMARY KEY CHECK (only_row = 1),
    boot_id   TEXT NOT NULL,      -- which run of the machine
    uptime_ms INTEGER NOT NULL,
    at_ms     INTEGER NOT NULL CHECK (at_ms >= 0)
) STRICT;

CREATE TABLE registry_group (
    group_name          TEXT NOT NULL PRIMARY KEY,
    at_ms               INTEGER NOT NULL CHECK (at_ms >= 0),      -- the latest moment seen
    revision            INTEGER NOT NULL CHECK (revision >= 0),   -- counts joins, leaves, leases given or given back
    epoch               INTEGER NOT NULL CHECK (epoch >= 0),      -- the highest ever given
    lease_address       TEXT,             -- this and the rest: of the last lease given, null before the first
    lease_incarnation   INTEGER,          -- a bit pattern, may be negative
    lease_started_ms    INTEGER CHECK (lease_started_ms >= 0),
    lease_epoch         INTEGER CHECK (lease_epoch >= 0),
    lease_granted_ms    INTEGER CHECK (lease_granted_ms >= 0),
    lease_expires_ms    INTEGER CHECK (lease_expires_ms >= 0),
    lease_released      INTEGER CHECK (lease_released IN (0, 1)),
    CHECK ((lease_address IS NULL) = (lease_incarnation IS NULL)),
    CHECK ((lease_address IS NULL) = (lease_started_ms IS NULL)),
    CHECK ((lease_address IS NULL) = (lease_epoch IS NULL)),
    CHECK ((lease_address IS NULL) = (lease_granted_ms IS NULL)),
    CHECK ((lease_address IS NULL) = (lease_expires_ms IS NULL)),
    CHECK ((lease_address IS NULL) = (lease_released IS NULL))
) STRICT;

CREATE TABLE registry_member (
    group_name  TEXT NOT NULL,
    address     TEXT NOT NULL,
    incarnation INTEGER NOT NULL,         -- which run; a bit pattern, may be negative
    started_ms  INTEGER NOT NULL CHECK (started_ms >= 0),
    joined_ms   INTEGER NOT NULL CHECK (joined_ms >= 0),
    until_ms    INTEGER NOT NULL CHECK (until_ms >= 0),
    ready       INTEGER NOT NULL CHECK (ready IN (0, 1)),
    PRIMARY KEY (group_name, address)
) STRICT;

-- For a person: the last lease of each group, with times that can be read (UTC).
CREATE VIEW lease_readable AS
SELECT group_name,
       lease_address                                     AS holder,
       lease_epoch                                       AS epoch,
       datetime(lease_granted_ms / 1000, 'unixepoch')    AS granted,
       datetime(lease_expires_ms / 1000, 'unixepoch')    AS expires,
       lease_released                                    AS given_back
FROM registry_group
WHERE lease_address IS NOT NULL
ORDER BY group_name;
