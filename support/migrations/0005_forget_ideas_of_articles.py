"""Chinese is cut into words by a library now: what was kept of each article is found anew when it is next looked for."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("support", "0004_mail_in")]
    operations = [
        migrations.RunSQL("UPDATE support_article SET search = NULL", migrations.RunSQL.noop),
    ]
