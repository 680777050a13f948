from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0025_left_sequence")]

    operations = [
        migrations.AddField(
            model_name="variant",
            name="former",
            field=models.JSONField(blank=True, db_default=models.Value({}, models.JSONField()), default=dict),
        ),
    ]
