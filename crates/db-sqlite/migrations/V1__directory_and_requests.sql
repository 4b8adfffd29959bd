-- Everything belongs to a group: one call manager cluster. Times are milliseconds since 1970-01-01T00:00:00Z.

------------------------------------------------------------------------ The call manager's directory

CREATE TABLE softkey_template (
    group_name   TEXT NOT NULL,
    name         TEXT NOT NULL,
    has_callback INTEGER NOT NULL CHECK (has_callback IN (0, 1)),
    PRIMARY KEY (group_name, name)
) STRICT;

CREATE TABLE device_pool (
    group_name       TEXT NOT NULL,
    name             TEXT NOT NULL,
    softkey_template TEXT,
    PRIMARY KEY (group_name, name),
    FOREIGN KEY (group_name, softkey_template) REFERENCES softkey_template (group_name, name)
) STRICT;

CREATE TABLE phone (
    group_name       TEXT NOT NULL,
    device           TEXT NOT NULL,
    locale           TEXT NOT NULL DEFAULT 'en_US',
    utc_offset_min   INTEGER NOT NULL DEFAULT 0 CHECK (utc_offset_min BETWEEN -1439 AND 1439),
    softkey_template TEXT,      -- wins over the one of the pool; with neither the phone has CallBack
    device_pool      TEXT,
    do_not_disturb   INTEGER NOT NULL DEFAULT 0 CHECK (do_not_disturb IN (0, 1)),
    PRIMARY KEY (group_name, device),
    FOREIGN KEY (group_name, softkey_template) REFERENCES softkey_template (group_name, name),
    FOREIGN KEY (group_name, device_pool) REFERENCES device_pool (group_name, name)
) STRICT;

-- Which line is on which phone. A line exists as long as it appears on one.
CREATE TABLE appearance (
    group_name     TEXT NOT NULL,
    device         TEXT NOT NULL,
    partition_name TEXT NOT NULL,   -- empty: the partition without a name
    dn             TEXT NOT NULL,
    button         INTEGER NOT NULL,
    PRIMARY KEY (group_name, device, partition_name, dn),
    FOREIGN KEY (group_name, device) REFERENCES phone (group_name, device)
) STRICT;

CREATE INDEX appearance_by_number ON appearance (group_name, dn, partition_name);

-- What is set for a line; a line without a row has nothing set.
CREATE TABLE line_setting (
    group_name      TEXT NOT NULL,
    partition_name  TEXT NOT NULL,
    dn              TEXT NOT NULL,
    display_name    TEXT,
    forwards_all_to TEXT,
    PRIMARY KEY (group_name, partition_name, dn)
) STRICT;

-- Parameters that are not at their default.
CREATE TABLE service_parameter (
    group_name TEXT NOT NULL,
    name       TEXT NOT NULL,
    value      TEXT NOT NULL,
    PRIMARY KEY (group_name, name)
) STRICT;

-- Triggers, not foreign key actions: these act for every tool that writes the file, whatever its settings.
CREATE TRIGGER phone_takes_its_lines AFTER DELETE ON phone BEGIN
    DELETE FROM appearance WHERE group_name = OLD.group_name AND device = OLD.device;
END;

CREATE TRIGGER last_appearance_takes_the_settings AFTER DELETE ON appearance BEGIN
    DELETE FROM line_setting
    WHERE group_name = OLD.group_name AND partition_name = OLD.partition_name AND dn = OLD.dn
      AND NOT EXISTS (
        SELECT 1 FROM appearance
        WHERE group_name = OLD.group_name AND partition_name = OLD.partition_name AND dn = OLD.dn);
END;

------------------------------------------------------------------------ Change notification

-- One row a change of the directory, whoever made it. Readers remember the last `seq` they saw.
CREATE TABLE change_log (
    seq        INTEGER PRIMARY KEY AUTOINCREMENT,
    group_name TEXT NOT NULL,
    table_name TEXT NOT NULL,   -- phone, line, template, pool, parameter
    key        TEXT NOT NULL    -- a device, PARTITION/DN, the name of a template, pool or parameter
) STRICT;

CREATE TRIGGER change_log_is_bounded AFTER INSERT ON change_log BEGIN
    DELETE FROM change_log WHERE seq <= NEW.seq - 10000;
END;

CREATE TRIGGER phone_added AFTER INSERT ON phone BEGIN
    INSERT INTO change_log (group_name, table_name, key) VALUES (NEW.group_name, 'phone', NEW.device);
END;
CREATE TRIGGER phone_changed AFTER UPDATE ON phone BEGIN
    INSERT INTO change_log (group_name, table_name, key)
    SELECT OLD.group_name, 'phone', OLD.device UNION SELECT NEW.group_name, 'phone', NEW.device;
END;
CREATE TRIGGER phone_removed AFTER DELETE ON phone BEGIN
    INSERT INTO change_log (group_name, table_name, key) VALUES (OLD.group_name, 'phone', OLD.device);
END;

CREATE TRIGGER appearance_added AFTER INSERT ON appearance BEGIN
    INSERT INTO change_log (group_name, table_name, key)
    VALUES (NEW.group_name, 'line', NEW.partition_name || '/' || NEW.dn);
END;
CREATE TRIGGER appearance_changed AFTER UPDATE ON appearance BEGIN
    INSERT INTO change_log (group_name, table_name, key)
    SELECT OLD.group_name, 'line', OLD.partition_name || '/' || OLD.dn
    UNION SELECT NEW.group_name, 'line', NEW.partition_name || '/' || NEW.dn;
END;
CREATE TRIGGER appearance_removed AFTER DELETE ON appearance BEGIN
    INSERT INTO change_log (group_name, table_name, key)
    VALUES (OLD.group_name, 'line', OLD.partition_name || '/' || OLD.dn);
END;

CREATE TRIGGER line_setting_added AFTER INSERT ON line_setting BEGIN
    INSERT INTO change_log (group_name, table_name, key)
    VALUES (NEW.group_name, 'line', NEW.partition_name || '/' || NEW.dn);
END;
CREATE TRIGGER line_setting_changed AFTER UPDATE ON line_setting BEGIN
    INSERT INTO change_log (group_name, table_name, key)
    SELECT OLD.group_name, 'line', OLD.partition_name || '/' || OLD.dn
    UNION SELECT NEW.group_name, 'line', NEW.partition_name || '/' || NEW.dn;
END;
CREATE TRIGGER line_setting_removed AFTER DELETE ON line_setting BEGIN
    INSERT INTO change_log (group_name, table_name, key)
    VALUES (OLD.group_name, 'line', OLD.partition_name || '/' || OLD.dn);
END;

CREATE TRIGGER softkey_template_added AFTER INSERT ON softkey_template BEGIN
    INSERT INTO change_log (group_name, table_name, key) VALUES (NEW.group_name, 'template', NEW.name);
END;
CREATE TRIGGER softkey_template_changed AFTER UPDATE ON softkey_template BEGIN
    INSERT INTO change_log (group_name, table_name, key)
    SELECT OLD.group_name, 'template', OLD.name UNION SELECT NEW.group_name, 'template', NEW.name;
END;
CREATE TRIGGER softkey_template_removed AFTER DELETE ON softkey_template BEGIN
    INSERT INTO change_log (group_name, table_name, key) VALUES (OLD.group_name, 'template', OLD.name);
END;

CREATE TRIGGER device_pool_added AFTER INSERT ON device_pool BEGIN
    INSERT INTO change_log (group_name, table_name, key) VALUES (NEW.group_name, 'pool', NEW.name);
END;
CREATE TRIGGER device_pool_changed AFTER UPDATE ON device_pool BEGIN
    INSERT INTO change_log (group_name, table_name, key)
    SELECT OLD.group_name, 'pool', OLD.name UNION SELECT NEW.group_name, 'pool', NEW.name;
END;
CREATE TRIGGER device_pool_removed AFTER DELETE ON device_pool BEGIN
    INSERT INTO change_log (group_name, table_name, key) VALUES (OLD.group_name, 'pool', OLD.name);
END;

CREATE TRIGGER service_parameter_added AFTER INSERT ON service_parameter BEGIN
    INSERT INTO change_log (group_name, table_name, key) VALUES (NEW.group_name, 'parameter', NEW.name);
END;
CREATE TRIGGER service_parameter_changed AFTER UPDATE ON service_parameter BEGIN
    INSERT INTO change_log (group_name, table_name, key)
    SELECT OLD.group_name, 'parameter', OLD.name UNION SELECT NEW.group_name, 'parameter', NEW.name;
END;
CREATE TRIGGER service_parameter_removed AFTER DELETE ON service_parameter BEGIN
    INSERT INTO change_log (group_name, table_name, key) VALUES (OLD.group_name, 'parameter', OLD.name);
END;

------------------------------------------------------------------------ The service's requests

-- The term of office in force; a write of an older one is refused.
CREATE TABLE epoch (
    group_name TEXT NOT NULL PRIMARY KEY,
    epoch      INTEGER NOT NULL CHECK (epoch >= 0)
) STRICT;

-- The Call Back requests that have not ended. The place in a queue is the order of since_ms, id_epoch, id_number.
CREATE TABLE request (
    group_name       TEXT NOT NULL,
    id_epoch         INTEGER NOT NULL CHECK (id_epoch >= 0),
    id_number        INTEGER NOT NULL CHECK (id_number >= 0),
    caller_device    TEXT NOT NULL,
    caller_partition TEXT NOT NULL,
    caller_dn        TEXT NOT NULL,
    called_partition TEXT NOT NULL,
    called_dn        TEXT NOT NULL,
    dialled_dn       TEXT NOT NULL,      -- the called number as it was dialled
    kind             TEXT NOT NULL CHECK (kind IN ('busy', 'no answer')),
    since_ms         INTEGER NOT NULL CHECK (since_ms >= 0),
    expires_ms       INTEGER CHECK (expires_ms >= 0),   -- null: never
    origin_call      INTEGER,            -- the call during which the key was pressed; a bit pattern, may be negative
    phase            TEXT NOT NULL CHECK (phase IN ('waiting', 'turn', 'lapsed', 'dialing')),
    turn_alert       INTEGER CHECK (turn_alert >= 0),   -- this and the next two: in phase turn only
    turn_until_ms    INTEGER CHECK (turn_until_ms >= 0),
    turn_alerted     INTEGER CHECK (turn_alerted IN (0, 1)),
    dialing_in_turn  INTEGER CHECK (dialing_in_turn IN (0, 1)),   -- in phase dialing only
    cycle            TEXT CHECK (cycle IN ('untouched', 'off hook', 'complete')),   -- null: waits for idle
    alerts           INTEGER NOT NULL CHECK (alerts >= 0),
    notified_ms      INTEGER CHECK (notified_ms >= 0),
    PRIMARY KEY (group_name, id_epoch, id_number),
    CHECK ((phase = 'turn') = (turn_alert IS NOT NULL)),
    CHECK ((phase = 'turn') = (turn_until_ms IS NOT NULL)),
    CHECK ((phase = 'turn') = (turn_alerted IS NOT NULL)),
    CHECK ((phase = 'dialing') = (dialing_in_turn IS NOT NULL))
) STRICT;

-- For a person: the requests in queue order, with times that can be read (UTC).
CREATE VIEW request_readable AS
SELECT group_name,
       id_epoch || '-' || id_number                AS id,
       caller_device                               AS caller,
       caller_partition || '/' || caller_dn        AS from_line,
       called_partition || '/' || called_dn        AS waits_for,
       kind,
       phase,
       cycle,
       alerts,
       datetime(since_ms / 1000, 'unixepoch')      AS since,
       datetime(expires_ms / 1000, 'unixepoch')    AS expires,
       datetime(turn_until_ms / 1000, 'unixepoch') AS turn_until
FROM request
ORDER BY group_name, called_partition, called_dn, since_ms, id_epoch, id_number;
