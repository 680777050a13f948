"""With which probability people get which text of an archetype, where a live campaign shifts its shares."""

import django.db.models.deletion
from django.db import migrations, models

APPEND_ONLY = """
CREATE TRIGGER campaigns_textshare_append_only BEFORE UPDATE ON campaigns_textshare
    FOR EACH ROW EXECUTE FUNCTION campaigns_refuse_switch_change();
"""
DROP = "DROP TRIGGER campaigns_textshare_append_only ON campaigns_textshare;"


class Migration(migrations.Migration):

    dependencies = [
        ('campaigns', '0030_global_holdout'),
    ]

    operations = [
        migrations.AddField(
            model_name='campaign',
            name='adapts_texts',
            field=models.BooleanField(db_default=models.Value(False), default=False, verbose_name='shares of texts shift to what works'),
        ),
        migrations.CreateModel(
            name='TextShare',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('batch', models.PositiveIntegerField()),
                ('share', models.FloatField()),
                ('people', models.PositiveIntegerField()),
                ('ordered', models.PositiveIntegerField()),
                ('seed', models.CharField(max_length=64)),
                ('decided_at', models.DateTimeField()),
                ('archetype', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='text_shares', to='campaigns.archetype')),
                ('variant', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='shares', to='campaigns.variant')),
            ],
            options={
                'verbose_name': 'share of a text',
                'verbose_name_plural': 'shares of texts',
                'ordering': ['archetype', 'batch', 'variant'],
            },
        ),
        migrations.AddConstraint(
            model_name='textshare',
            constraint=models.UniqueConstraint(fields=('archetype', 'batch', 'variant'), name='textshare_key'),
        ),
        migrations.AddConstraint(
            model_name='textshare',
            constraint=models.CheckConstraint(condition=models.Q(('share__gt', 0), ('share__lte', 1)), name='textshare_range'),
        ),
        migrations.AddField(
            model_name='message',
            name='text_share',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='messages', to='campaigns.textshare'),
        ),
        migrations.RunSQL(APPEND_ONLY, DROP),
    ]
