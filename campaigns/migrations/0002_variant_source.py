from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="variant",
            name="source",
            field=models.JSONField(blank=True, default=dict),
        ),
    ]
