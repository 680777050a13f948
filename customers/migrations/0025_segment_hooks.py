"""Who entered and left a segment is told to systems that subscribed, whoever writes it."""

from django.db import migrations

TRIGGER = """
CREATE FUNCTION customers_outgoing_segments() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    IF customers_outgoing_wanted('segment.entered') OR customers_outgoing_wanted('segment.left') THEN
        INSERT INTO customers_outgoingevent (kind, data)
        SELECT kind, jsonb_build_object('items', jsonb_agg(item ORDER BY id))
        FROM (SELECT id, kind, item, (row_number() OVER (PARTITION BY kind ORDER BY id) - 1) / 500 AS part
              FROM (SELECT id, CASE WHEN has_entered THEN 'segment.entered' ELSE 'segment.left' END AS kind,
                           jsonb_build_object('customer', customer_id, 'segment', segment_id, 'cause', cause) AS item
                    FROM fresh) AS named
              WHERE customers_outgoing_wanted(kind)) AS told
        GROUP BY kind, part ORDER BY kind, part;
    END IF;
    RETURN NULL;
END
$$;
REVOKE EXECUTE ON FUNCTION customers_outgoing_segments() FROM PUBLIC;
CREATE TRIGGER customers_segmentchange_told AFTER INSERT ON customers_segmentchange REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION customers_outgoing_segments();
"""
UNDO = """
DROP TRIGGER customers_segmentchange_told ON customers_segmentchange;
DROP FUNCTION customers_outgoing_segments();
"""


class Migration(migrations.Migration):
    dependencies = [("customers", "0024_merges")]

    operations = [migrations.RunSQL(TRIGGER, UNDO)]
