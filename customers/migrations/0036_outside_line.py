"""Lines that are to stand outside the database wait here until they do."""

import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("customers", "0035_wish_mark")]

    operations = [
        migrations.CreateModel(
            name="OutsideLine",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "file",
                    models.CharField(choices=[("erasures", "ERASURE_FILE"), ("wishes", "WISHES_FILE")], max_length=12),
                ),
                ("line", models.JSONField()),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                "verbose_name": "line for a file outside",
                "verbose_name_plural": "lines for files outside",
            },
        ),
    ]
