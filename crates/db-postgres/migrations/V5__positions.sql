-- Whoever writes requests is told where they stand then, so that it notices when the server has lost some of them: a standby
-- took the server's place to which not everything had been copied, or an older backup was restored.

-- What it returns cannot be changed otherwise. Who called it before it was made anew goes on calling it.
DROP FUNCTION store_apply(text, bigint, jsonb, jsonb);

-- As before, and gives the revision and its mark; none if nothing was to be written.
CREATE FUNCTION store_apply(this_group text, ours bigint, gone jsonb, kept jsonb,
    OUT refusal text, OUT current bigint, OUT revision bigint, OUT mark bigint)
LANGUAGE plpgsql AS $$
DECLARE
    head epoch;
BEGIN
    SELECT fence.refusal, fence.current INTO refusal, current FROM store_fence(this_group, ours) AS fence;
    IF refusal IS NOT NULL OR jsonb_array_length(gone) + jsonb_array_length(kept) = 0 THEN
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
    UPDATE epoch AS e SET revision = e.revision + 1, mark = floor(random() * 9007199254740992)::bigint
    WHERE e.group_name = this_group RETURNING e.* INTO head;
    revision := head.revision;
    mark := head.mark;
    INSERT INTO request_log
    SELECT this_group, head.revision, head.mark, id.epoch, id.number
    FROM jsonb_to_recordset(gone) AS id (epoch bigint, number bigint)
    UNION ALL
    SELECT this_group, head.revision, head.mark, id.id_epoch, id.id_number
    FROM jsonb_to_recordset(kept) AS id (id_epoch bigint, id_number bigint);
    -- Every now and then, so that the log holds 5000 to 5500 transactions.
    IF head.revision % 500 = 0 THEN
        DELETE FROM request_log AS l WHERE l.group_name = this_group AND l.revision <= head.revision - 5000;
    END IF;
END
$$;
