-- What is set for traces and alarms: names and values, which the service reads while it runs.

CREATE TABLE trace_setting (
    group_name TEXT NOT NULL,
    name       TEXT NOT NULL,
    value      TEXT NOT NULL,
    PRIMARY KEY (group_name, name)
) STRICT;

CREATE TABLE alarm_setting (
    group_name TEXT NOT NULL,
    name       TEXT NOT NULL,
    value      TEXT NOT NULL,
    PRIMARY KEY (group_name, name)
) STRICT;

-- In the change log their tables are called trace and alarm; the key is the name.
CREATE TRIGGER trace_setting_added AFTER INSERT ON trace_setting BEGIN
    INSERT INTO change_log (group_name, table_name, key) VALUES (NEW.group_name, 'trace', NEW.name);
END;
CREATE TRIGGER trace_setting_changed AFTER UPDATE ON trace_setting BEGIN
    INSERT INTO change_log (group_name, table_name, key)
    SELECT OLD.group_name, 'trace', OLD.name UNION SELECT NEW.group_name, 'trace', NEW.name;
END;
CREATE TRIGGER trace_setting_removed AFTER DELETE ON trace_setting BEGIN
    INSERT INTO change_log (group_name, table_name, key) VALUES (OLD.group_name, 'trace', OLD.name);
END;

CREATE TRIGGER alarm_setting_added AFTER INSERT ON alarm_setting BEGIN
    INSERT INTO change_log (group_name, table_name, key) VALUES (NEW.group_name, 'alarm', NEW.name);
END;
CREATE TRIGGER alarm_setting_changed AFTER UPDATE ON alarm_setting BEGIN
    INSERT INTO change_log (group_name, table_name, key)
    SELECT OLD.group_name, 'alarm', OLD.name UNION SELECT NEW.group_name, 'alarm', NEW.name;
END;
CREATE TRIGGER alarm_setting_removed AFTER DELETE ON alarm_setting BEGIN
    INSERT INTO change_log (group_name, table_name, key) VALUES (OLD.group_name, 'alarm', OLD.name);
END;
