-- Which instances of the service are live, and which of them acts. Times are those of ringback_now(), held at the latest
-- moment seen in the group.

CREATE TABLE registry_group (
    group_name        text COLLATE "C" NOT NULL PRIMARY KEY,
    at_ms             bigint NOT NULL DEFAULT 0 CHECK (at_ms >= 0),      -- the latest moment seen
    revision          bigint NOT NULL DEFAULT 0 CHECK (revision >= 0),   -- counts joins, leaves, leases given or given back
    epoch             bigint NOT NULL DEFAULT 0 CHECK (epoch >= 0),      -- the highest ever given
    lease_address     inet,              -- this and the rest: of the last lease given, null before the first
    lease_incarnation text,              -- which run of the instance, hexadecimal
    lease_started_ms  bigint CHECK (lease_started_ms >= 0),
    lease_epoch       bigint CHECK (lease_epoch >= 0),
    lease_granted_ms  bigint CHECK (lease_granted_ms >= 0),
    lease_expires_ms  bigint CHECK (lease_expires_ms >= 0),
    lease_released    boolean,
    CHECK (num_nulls(lease_address, lease_incarnation, lease_started_ms, lease_epoch, lease_granted_ms, lease_expires_ms,
        lease_released) IN (0, 7))
) WITH (fillfactor = 50);

CREATE TABLE registry_member (
    group_name  text COLLATE "C" NOT NULL,
    address     inet NOT NULL,
    incarnation text NOT NULL,            -- which run of the instance, hexadecimal
    started_ms  bigint NOT NULL CHECK (started_ms >= 0),
    joined_ms   bigint NOT NULL CHECK (joined_ms >= 0),
    until_ms    bigint NOT NULL CHECK (until_ms >= 0),
    ready       boolean NOT NULL,
    PRIMARY KEY (group_name, address)
) WITH (fillfactor = 50);

-- A group as it is at its latest moment, with those who are live then.
CREATE FUNCTION registry_state(head registry_group) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT to_jsonb(head) || jsonb_build_object('members', (
        SELECT coalesce(jsonb_agg(to_jsonb(m) - 'group_name'), '[]') FROM registry_member AS m
        WHERE m.group_name = head.group_name AND m.until_ms > head.at_ms))
$$;

-- A group as it is now, without taking part.
CREATE FUNCTION registry_read(this_group text) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    head registry_group;
BEGIN
    SELECT * INTO head FROM registry_group WHERE group_name = this_group;
    head.group_name := this_group;
    head.at_ms := greatest(coalesce(head.at_ms, 0), ringback_now());
    head.epoch := coalesce(head.epoch, 0);
    head.revision := coalesce(head.revision, 0);
    IF EXISTS (SELECT 1 FROM registry_member WHERE group_name = this_group AND until_ms <= head.at_ms) THEN
        head.revision := head.revision + 1;
    END IF;
    RETURN registry_state(head);
END
$$;

-- One call of one member: a heartbeat with an intent, or that another member is dead. The rules are those of the ledger of
-- ringback-election; a word in `refusal` says which of them the call breaks.
CREATE FUNCTION registry_call(call jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    this_group text   := call ->> 'group_name';
    who        inet   := (call ->> 'address')::inet;
    run        text   := call ->> 'incarnation';
    intent     text   := call ->> 'intent';
    length_ms  bigint := (call ->> 'length_ms')::bigint;
    wants      bigint := (call ->> 'epoch')::bigint;
    head       registry_group;
    known      registry_member;
    former     bigint;
    own        boolean;
    in_force   boolean;
    ends       boolean := false;
    refusal    text;
BEGIN
    SELECT * INTO head FROM registry_group WHERE group_name = this_group FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        INSERT INTO registry_group (group_name) VALUES (this_group) ON CONFLICT DO NOTHING;
        SELECT * INTO STRICT head FROM registry_group WHERE group_name = this_group FOR NO KEY UPDATE;
    END IF;
    former := head.revision;
    -- The time is read once the lock is had: however long that took, the call happens now.
    head.at_ms := greatest(head.at_ms, ringback_now());
    DELETE FROM registry_member WHERE group_name = this_group AND until_ms <= head.at_ms;
    IF FOUND THEN
        head.revision := head.revision + 1;
    END IF;
    SELECT * INTO known FROM registry_member WHERE group_name = this_group AND address = who;
    own := coalesce(head.lease_address = who AND head.lease_incarnation = run, false);
    in_force := coalesce(head.at_ms < head.lease_expires_ms, false);

    IF intent = 'expel' THEN
        ends := own;
    ELSIF length_ms = 0 THEN
        refusal := 'no length';
    ELSIF known.incarnation <> run THEN
        refusal := 'address in use';
    ELSIF EXISTS (SELECT 1 FROM registry_member
                  WHERE group_name = this_group AND incarnation = run AND address <> who) THEN
        refusal := 'address changed';
    ELSIF intent = 'leave' THEN
        ends := own;
    ELSE
        IF known.address IS NULL THEN
            INSERT INTO registry_member
            VALUES (this_group, who, run, (call ->> 'started_ms')::bigint, head.at_ms, head.at_ms + length_ms,
                (call ->> 'ready')::boolean);
            head.revision := head.revision + 1;
        ELSE
            UPDATE registry_member SET until_ms = head.at_ms + length_ms, ready = (call ->> 'ready')::boolean
            WHERE group_name = this_group AND address = who;
            IF known.ready <> (call ->> 'ready')::boolean THEN
                head.revision := head.revision + 1;
            END IF;
        END IF;
        IF intent = 'acquire' AND head.epoch = wants AND (own OR NOT in_force) THEN
            head.epoch := greatest(head.epoch, (call ->> 'above')::bigint) + 1;
            head.revision := head.revision + 1;
            head.lease_address := who;
            head.lease_incarnation := run;
            head.lease_started_ms := (call ->> 'started_ms')::bigint;
            head.lease_epoch := head.epoch;
            head.lease_granted_ms := head.at_ms;
            head.lease_expires_ms := head.at_ms + length_ms;
            head.lease_released := false;
        ELSIF intent = 'renew' THEN
            IF own AND in_force AND head.lease_epoch = wants THEN
                head.lease_expires_ms := head.at_ms + length_ms;
            ELSE
                refusal := 'fenced';
            END IF;
        ELSIF intent = 'release' THEN
            ends := own AND head.lease_epoch = wants;
        END IF;
    END IF;
    IF intent IN ('expel', 'leave') AND refusal IS NULL AND known.incarnation = run THEN
        DELETE FROM registry_member WHERE group_name = this_group AND address = who;
        head.revision := head.revision + 1;
    END IF;
    IF ends AND in_force THEN
        head.lease_expires_ms := head.at_ms;
        head.lease_released := true;
        head.revision := head.revision + 1;
    END IF;

    UPDATE registry_group SET
        (at_ms, revision, epoch, lease_address, lease_incarnation, lease_started_ms, lease_epoch, lease_granted_ms,
         lease_expires_ms, lease_released)
        = (head.at_ms, head.revision, head.epoch, head.lease_address, head.lease_incarnation, head.lease_started_ms,
         head.lease_epoch, head.lease_granted_ms, head.lease_expires_ms, head.lease_released)
    WHERE group_name = this_group;
    IF head.revision <> former THEN
        PERFORM pg_notify('ringback_registry', head.revision || ' ' || this_group);
    END IF;
    RETURN registry_state(head) || jsonb_build_object('refusal', refusal);
END
$$;

-- Many calls in one exchange; answers in the order of the calls. They are carried out in the order of their groups, so that
-- two callers cannot wait for each other.
CREATE FUNCTION registry_calls(calls jsonb) RETURNS SETOF jsonb LANGUAGE plpgsql AS $$
DECLARE
    answers jsonb[] := array_fill(NULL::jsonb, ARRAY[jsonb_array_length(calls)]);
    item record;
BEGIN
    FOR item IN
        SELECT call, place FROM jsonb_array_elements(calls) WITH ORDINALITY AS listed (call, place)
        ORDER BY call ->> 'group_name' COLLATE "C", place
    LOOP
        answers[item.place] := registry_call(item.call);
    END LOOP;
    RETURN QUERY SELECT unnest(answers);
END
$$;
