"""An import can be cancelled."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("customers", "0033_own_requests")]

    operations = [
        migrations.AlterField(
            model_name="importrun",
            name="status",
            field=models.CharField(
                choices=[
                    ("choosing", "columns to choose"),
                    ("waiting", "waiting"),
                    ("running", "running"),
                    ("done", "done"),
                    ("failed", "failed"),
                    ("cancelled", "cancelled"),
                ],
                default="waiting",
                max_length=12,
                verbose_name="status",
            ),
        ),
    ]
