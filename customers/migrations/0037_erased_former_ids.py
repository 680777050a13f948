"""Of a row that was merged, the erasure itself says which id of the shop is to be forgotten: the row has none of its own any more."""

from django.db import migrations

TRIGGER = """
DROP TRIGGER customers_erasure_told ON customers_customer;
CREATE TRIGGER customers_erasure_told AFTER UPDATE ON customers_customer
    FOR EACH ROW WHEN (NEW.source = 'erased' AND OLD.source NOT IN ({sources})) EXECUTE FUNCTION customers_outgoing_erased();
"""


class Migration(migrations.Migration):
    dependencies = [("customers", "0036_outside_line")]

    operations = [
        migrations.RunSQL(TRIGGER.format(sources="'erased', 'merged'"), TRIGGER.format(sources="'erased'")),
    ]
