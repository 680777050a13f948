"""How far the wishes that are kept outside have been compared."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("customers", "0034_cancelled_imports")]

    operations = [
        migrations.CreateModel(
            name="WishMark",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("position", models.BigIntegerField(db_default=0, default=0)),
            ],
            options={
                "verbose_name": "place in the file of wishes",
                "verbose_name_plural": "places in the file of wishes",
            },
        ),
    ]
