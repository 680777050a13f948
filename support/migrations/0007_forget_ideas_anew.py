"""English words lose their endings by a library now: what was kept of each article is found anew when it is next looked for."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("support", "0006_ticket_is_upset")]
    operations = [
        migrations.RunSQL("UPDATE support_article SET search = NULL", migrations.RunSQL.noop),
    ]
