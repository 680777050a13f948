"""Makes the event log a table partitioned by month, which Django's own operations cannot say."""

from django.db import migrations

FORWARD = """
DROP TABLE customers_customerevent;
CREATE TABLE customers_customerevent (
    source varchar(40) NOT NULL,
    external_id varchar(160) NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    customer_id bigint NOT NULL
        REFERENCES customers_customer (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    kind varchar(40) NOT NULL,
    properties jsonb NOT NULL DEFAULT '{}',
    recorded_at timestamp with time zone NOT NULL DEFAULT statement_timestamp(),
    PRIMARY KEY (source, external_id, occurred_at)
) PARTITION BY RANGE (occurred_at);
CREATE INDEX event_customer_time ON customers_customerevent (customer_id, occurred_at);
CREATE INDEX event_kind_time ON customers_customerevent (kind, occurred_at);
"""


class Migration(migrations.Migration):
    dependencies = [("customers", "0001_initial")]

    operations = [migrations.RunSQL(FORWARD, migrations.RunSQL.noop)]
