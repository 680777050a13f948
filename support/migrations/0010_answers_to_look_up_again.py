from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("support", "0009_forget_ideas_once_more")]
    operations = [
        migrations.AlterModelOptions(
            name="ticketmessage",
            options={"ordering": ["pk"], "verbose_name": "ticket message", "verbose_name_plural": "ticket messages"},
        ),
        migrations.AddField(
            model_name="answer",
            name="stale_since",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddIndex(
            model_name="answer",
            index=models.Index(
                condition=models.Q(("stale_since", None), _negated=True), fields=["stale_since"], name="answer_stale"
            ),
        ),
    ]
