"""British and American spellings are one word now, and more things are one: what was kept of each article is found anew."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("support", "0008_words_of_messages")]
    operations = [
        migrations.RunSQL("UPDATE support_article SET search = NULL", migrations.RunSQL.noop),
    ]
