"""Changes of state and what came back of messages are told to other systems that subscribed, by PostgreSQL, whoever writes them."""

from django.db import migrations

TRIGGERS = """
CREATE FUNCTION campaigns_outgoing_state() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    IF customers_outgoing_wanted('campaign.state_changed') THEN
        INSERT INTO customers_outgoingevent (kind, data) VALUES ('campaign.state_changed', jsonb_build_object('items',
            jsonb_build_array(jsonb_build_object('campaign', NEW.campaign_id, 'from', NEW.from_status, 'to', NEW.to_status))));
    END IF;
    RETURN NULL;
END
$$;
CREATE FUNCTION campaigns_outgoing_messages() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO customers_outgoingevent (kind, data)
    SELECT kind, jsonb_build_object('items', jsonb_agg(item ORDER BY id))
    FROM (SELECT f.id, 'message.' || f.kind AS kind,
                 jsonb_build_object('message', m.id, 'campaign', m.campaign_id, 'customer', m.customer_id) AS item,
                 (row_number() OVER (PARTITION BY f.kind ORDER BY f.id) - 1) / 500 AS part
          FROM fresh f JOIN campaigns_message m ON m.id = f.message_id
          WHERE f.kind IN ('delivered', 'bounced', 'unsubscribed')
            AND EXISTS (SELECT 1 FROM customers_outgoingendpoint e WHERE e.status = 'active' AND e.kinds ? ('message.' || f.kind))
         ) AS told
    GROUP BY kind, part ORDER BY kind, part;
    RETURN NULL;
END
$$;
REVOKE EXECUTE ON FUNCTION campaigns_outgoing_state(), campaigns_outgoing_messages() FROM PUBLIC;
CREATE TRIGGER campaigns_transition_told AFTER INSERT ON campaigns_campaigntransition
    FOR EACH ROW WHEN (NEW.from_status <> NEW.to_status) EXECUTE FUNCTION campaigns_outgoing_state();
CREATE TRIGGER campaigns_delivery_told AFTER INSERT ON campaigns_deliveryevent REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION campaigns_outgoing_messages();
"""
UNDO = """
DROP TRIGGER campaigns_delivery_told ON campaigns_deliveryevent;
DROP TRIGGER campaigns_transition_told ON campaigns_campaigntransition;
DROP FUNCTION campaigns_outgoing_messages();
DROP FUNCTION campaigns_outgoing_state();
"""


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0026_former_text"), ("customers", "0018_outgoing")]

    operations = [migrations.RunSQL(TRIGGERS, UNDO)]
