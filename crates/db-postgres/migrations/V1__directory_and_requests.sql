-- Everything belongs to a group (one call manager cluster). Names are compared by their bytes. Times are milliseconds since
-- 1970-01-01T00:00:00Z. What the tables and functions are for is told, table by table, in SCHEMA.md.

-- The clock of everything in here.
CREATE FUNCTION ringback_now() RETURNS bigint LANGUAGE sql VOLATILE AS $$
    SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint
$$;

------------------------------------------------------------------------ The directory

CREATE TABLE softkey_template (
    group_name   text COLLATE "C" NOT NULL,
    name         text COLLATE "C" NOT NULL,
    has_callback boolean NOT NULL,
    PRIMARY KEY (group_name, name)
);

CREATE TABLE device_pool (
    group_name       text COLLATE "C" NOT NULL,
    name             text COLLATE "C" NOT NULL,
    softkey_template text COLLATE "C",
    PRIMARY KEY (group_name, name),
    CONSTRAINT pool_has_template FOREIGN KEY (group_name, softkey_template) REFERENCES softkey_template (group_name, name)
);

CREATE TABLE phone (
    group_name       text COLLATE "C" NOT NULL,
    device           text COLLATE "C" NOT NULL,
    locale           text NOT NULL DEFAULT 'en_US',
    utc_offset_min   smallint NOT NULL DEFAULT 0 CHECK (utc_offset_min BETWEEN -1439 AND 1439),
    softkey_template text COLLATE "C",      -- wins over the one of the pool; with neither the phone has CallBack
    device_pool      text COLLATE "C",
    do_not_disturb   boolean NOT NULL DEFAULT false,
    PRIMARY KEY (group_name, device),
    CONSTRAINT phone_has_template FOREIGN KEY (group_name, softkey_template) REFERENCES softkey_template (group_name, name),
    CONSTRAINT phone_has_pool FOREIGN KEY (group_name, device_pool) REFERENCES device_pool (group_name, name)
);

CREATE INDEX phone_by_template ON phone (group_name, softkey_template);
CREATE INDEX phone_by_pool ON phone (group_name, device_pool);

-- Which line is on which phone. A line exists as long as it appears on one.
CREATE TABLE appearance (
    group_name     text COLLATE "C" NOT NULL,
    device         text COLLATE "C" NOT NULL,
    partition_name text COLLATE "C" NOT NULL,   -- empty: the partition without a name
    dn             text COLLATE "C" NOT NULL,
    button         integer NOT NULL,
    PRIMARY KEY (group_name, device, partition_name, dn),
    CONSTRAINT appearance_has_phone FOREIGN KEY (group_name, device) REFERENCES phone (group_name, device) ON DELETE CASCADE
);

CREATE INDEX appearance_by_number ON appearance (group_name, dn, partition_name);

-- What is set for a line; a line without a row has nothing set.
CREATE TABLE line_setting (
    group_name      text COLLATE "C" NOT NULL,
    partition_name  text COLLATE "C" NOT NULL,
    dn              text COLLATE "C" NOT NULL,
    display_name    text,
    forwards_all_to text,
    PRIMARY KEY (group_name, partition_name, dn)
);

-- Parameters that are not at their default, and what is set for traces and alarms: the service reads them while it runs.
CREATE TABLE service_parameter (
    group_name text COLLATE "C" NOT NULL,
    name       text COLLATE "C" NOT NULL,
    value      text NOT NULL,
    PRIMARY KEY (group_name, name)
);
CREATE TABLE trace_setting (LIKE service_parameter INCLUDING ALL);
CREATE TABLE alarm_setting (LIKE service_parameter INCLUDING ALL);

CREATE FUNCTION last_appearance_takes_the_settings() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM line_setting
    WHERE group_name = OLD.group_name AND partition_name = OLD.partition_name AND dn = OLD.dn
      AND NOT EXISTS (
        SELECT 1 FROM appearance
        WHERE group_name = OLD.group_name AND partition_name = OLD.partition_name AND dn = OLD.dn);
    RETURN NULL;
END
$$;

CREATE TRIGGER last_appearance_takes_the_settings AFTER DELETE ON appearance
    FOR EACH ROW EXECUTE FUNCTION last_appearance_takes_the_settings();

------------------------------------------------------------------------ Change notification

-- One row a change of the directory, whoever made it. Readers remember the last `seq` they saw.
CREATE TABLE change_log (
    seq        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    group_name text COLLATE "C" NOT NULL,
    table_name text NOT NULL,   -- phone, line, template, pool, parameter, trace, alarm
    key        text NOT NULL    -- a device, PARTITION/DN, the name of a template, pool, parameter or setting
);

CREATE INDEX change_log_by_group ON change_log (group_name, seq);

-- One row: up to which `seq` the log has been cut off. Who writes the directory holds it locked until the commit.
CREATE TABLE change_log_start (
    only_row boolean NOT NULL PRIMARY KEY DEFAULT true CHECK (only_row),
    seq      bigint NOT NULL
);

INSERT INTO change_log_start (seq) VALUES (0);

-- Numbers are given in the order of the writes, but transactions commit in any order: a reader that has seen 7 would never
-- look for a 6 that is committed later. So writers of the directory take turns, from before their first change to their
-- commit: what is committed later has higher numbers. The turn is taken before any row is locked, so that two writers
-- cannot wait for each other.
CREATE FUNCTION directory_takes_turns() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM change_log_start FOR UPDATE;
    RETURN NULL;
END
$$;

-- Arguments: what the table is called in the log, and the columns that make the key.
CREATE FUNCTION directory_is_logged() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    image  jsonb;
    last   bigint;
BEGIN
    FOR image IN
        SELECT DISTINCT side FROM (VALUES
            (CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END),
            (CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END)) AS sides (whole),
        LATERAL (SELECT jsonb_build_object('group', whole ->> 'group_name', 'key',
            (SELECT string_agg(whole ->> name, '/' ORDER BY place)
             FROM unnest(TG_ARGV[1:]) WITH ORDINALITY AS names (name, place))) AS side) AS built
        WHERE whole IS NOT NULL
    LOOP
        INSERT INTO change_log (group_name, table_name, key)
        VALUES (image ->> 'group', TG_ARGV[0], image ->> 'key')
        RETURNING seq INTO last;
        -- Equal ones of one transaction become one. Only a wake-up: the log is the truth.
        PERFORM pg_notify('ringback_directory', image ->> 'group');
        -- Every now and then, so that the log holds 10000 to 11000 changes.
        IF last % 1000 = 0 THEN
            DELETE FROM change_log WHERE seq <= last - 10000;
            UPDATE change_log_start SET seq = greatest(seq, last - 10000);
        END IF;
    END LOOP;
    RETURN NULL;
END
$$;

CREATE FUNCTION directory_is_not_truncated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'TRUNCATE is not told to the service: use DELETE FROM %', TG_TABLE_NAME;
END
$$;

DO $$
DECLARE
    logged record;
BEGIN
    FOR logged IN SELECT * FROM (VALUES
        ('phone', 'phone', ARRAY['device']),
        ('appearance', 'line', ARRAY['partition_name', 'dn']),
        ('line_setting', 'line', ARRAY['partition_name', 'dn']),
        ('softkey_template', 'template', ARRAY['name']),
        ('device_pool', 'pool', ARRAY['name']),
        ('service_parameter', 'parameter', ARRAY['name']),
        ('trace_setting', 'trace', ARRAY['name']),
        ('alarm_setting', 'alarm', ARRAY['name'])) AS tables (name, called, columns)
    LOOP
        EXECUTE format('CREATE TRIGGER directory_takes_turns BEFORE INSERT OR UPDATE OR DELETE ON %I
            FOR EACH STATEMENT EXECUTE FUNCTION directory_takes_turns()', logged.name);
        EXECUTE format('CREATE TRIGGER directory_is_logged AFTER INSERT OR UPDATE OR DELETE ON %I
            FOR EACH ROW EXECUTE FUNCTION directory_is_logged(%L, %s)', logged.name, logged.called,
            (SELECT string_agg(quote_literal(name), ', ') FROM unnest(logged.columns) AS name));
        EXECUTE format('CREATE TRIGGER directory_is_not_truncated BEFORE TRUNCATE ON %I
            FOR EACH STATEMENT EXECUTE FUNCTION directory_is_not_truncated()', logged.name);
    END LOOP;
END
$$;

------------------------------------------------------------------------ The service's requests

-- The term of office in force; a write of an older one is refused. Beside it who wrote last: a process that has lost its
-- connection and has another one must not be overtaken by what it sent over the former.
CREATE TABLE epoch (
    group_name text COLLATE "C" NOT NULL PRIMARY KEY,
    epoch      bigint NOT NULL DEFAULT 0 CHECK (epoch >= 0),
    process    text NOT NULL DEFAULT '',
    session    bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

-- Counts the connections that write requests.
CREATE SEQUENCE writer_session;

-- The Call Back requests that have not ended. The place in a queue is the order of since_ms, id_epoch, id_number.
CREATE TABLE request (
    group_name       text COLLATE "C" NOT NULL,
    id_epoch         bigint NOT NULL CHECK (id_epoch >= 0),
    id_number        bigint NOT NULL CHECK (id_number >= 0),
    caller_device    text NOT NULL,
    caller_partition text NOT NULL,
    caller_dn        text NOT NULL,
    called_partition text NOT NULL,
    called_dn        text NOT NULL,
    dialled_dn       text NOT NULL,      -- the called number as it was dialled
    kind             text NOT NULL CHECK (kind IN ('busy', 'no answer')),
    since_ms         bigint NOT NULL CHECK (since_ms >= 0),
    expires_ms       bigint CHECK (expires_ms >= 0),   -- null: never
    origin_call      bigint,             -- the call during which the key was pressed; a bit pattern, may be negative
    phase            text NOT NULL CHECK (phase IN ('waiting', 'turn', 'lapsed', 'dialing')),
    turn_alert       bigint CHECK (turn_alert >= 0),   -- this and the next two: in phase turn only
    turn_until_ms    bigint CHECK (turn_until_ms >= 0),
    turn_alerted     boolean,
    dialing_in_turn  boolean,            -- in phase dialing only
    cycle            text CHECK (cycle IN ('untouched', 'off hook', 'complete')),   -- null: waits for idle
    alerts           bigint NOT NULL CHECK (alerts >= 0),
    notified_ms      bigint CHECK (notified_ms >= 0),
    PRIMARY KEY (group_name, id_epoch, id_number),
    CHECK ((phase = 'turn') = (turn_alert IS NOT NULL)),
    CHECK ((phase = 'turn') = (turn_until_ms IS NOT NULL)),
    CHECK ((phase = 'turn') = (turn_alerted IS NOT NULL)),
    CHECK ((phase = 'dialing') = (dialing_in_turn IS NOT NULL))
) WITH (fillfactor = 80);

-- Makes `ours` the epoch in force and this session the one that writes, or says why not: with the epoch that is in force,
-- or with 'session' when this very process has written over a later session. The row stays locked until the commit: nobody
-- raises the epoch between this and the writes that follow.
CREATE FUNCTION store_fence(this_group text, ours bigint, OUT refusal text, OUT current bigint) LANGUAGE plpgsql AS $$
DECLARE
    this_process text := coalesce(current_setting('ringback.process', true), '');
    this_session bigint := coalesce(nullif(current_setting('ringback.session', true), ''), '0')::bigint;
    held epoch;
BEGIN
    SELECT * INTO held FROM epoch WHERE group_name = this_group FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        INSERT INTO epoch (group_name) VALUES (this_group) ON CONFLICT DO NOTHING;
        SELECT * INTO STRICT held FROM epoch WHERE group_name = this_group FOR NO KEY UPDATE;
    END IF;
    current := held.epoch;
    IF ours < held.epoch THEN
        refusal := 'epoch';
    ELSIF ours = held.epoch AND this_process = held.process AND this_session < held.session THEN
        refusal := 'session';
    ELSIF (ours, this_process, this_session) IS DISTINCT FROM (held.epoch, held.process, held.session) THEN
        UPDATE epoch SET epoch = ours, process = this_process, session = this_session WHERE group_name = this_group;
    END IF;
END
$$;

-- Deletes and puts, all or nothing, in one exchange; no request is named twice. Each statement of a function sees what was
-- committed before it began: after the wait for the lock, and not before as one big statement would.
CREATE FUNCTION store_apply(this_group text, ours bigint, gone jsonb, kept jsonb, OUT refusal text, OUT current bigint)
LANGUAGE plpgsql AS $$
BEGIN
    SELECT fence.refusal, fence.current INTO refusal, current FROM store_fence(this_group, ours) AS fence;
    IF refusal IS NOT NULL THEN
        RETURN;
    END IF;
    DELETE FROM request USING jsonb_to_recordset(gone) AS id (epoch bigint, number bigint)
    WHERE group_name = this_group AND id_epoch = id.epoch AND id_number = id.number;
    INSERT INTO request AS r
    SELECT this_group, id_epoch, id_number, caller_device, caller_partition, caller_dn, called_partition, called_dn,
        dialled_dn, kind, since_ms, expires_ms, origin_call, phase, turn_alert, turn_until_ms, turn_alerted,
        dialing_in_turn, cycle, alerts, notified_ms
    FROM jsonb_populate_recordset(NULL::request, kept)
    ON CONFLICT (group_name, id_epoch, id_number) DO UPDATE SET
        (caller_device, caller_partition, caller_dn, called_partition, called_dn, dialled_dn, kind, since_ms, expires_ms,
         origin_call, phase, turn_alert, turn_until_ms, turn_alerted, dialing_in_turn, cycle, alerts, notified_ms)
        = (excluded.caller_device, excluded.caller_partition, excluded.caller_dn, excluded.called_partition,
         excluded.called_dn, excluded.dialled_dn, excluded.kind, excluded.since_ms, excluded.expires_ms,
         excluded.origin_call, excluded.phase, excluded.turn_alert, excluded.turn_until_ms, excluded.turn_alerted,
         excluded.dialing_in_turn, excluded.cycle, excluded.alerts, excluded.notified_ms);
END
$$;
