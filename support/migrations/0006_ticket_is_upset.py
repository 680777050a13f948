from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("support", "0005_forget_ideas_of_articles")]
    operations = [
        migrations.AddField(
            model_name="ticket",
            name="is_upset",
            field=models.BooleanField(db_default=False, default=False, verbose_name="very unhappy"),
        ),
    ]
