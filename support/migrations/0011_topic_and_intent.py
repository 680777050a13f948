"""What was called the intent of a ticket is its topic; the intent is what its writer wants done.

Kept words move with the name: tickets, what models read, what people said, classifiers. What waits for a word of ours is sorted
anew by the sweep and so gets an intent at once; what was answered, escalated or closed keeps its triage, its hour and no intent
until its customer writes again. Workers of before must not run on it: they would write topics as intents. The audit log and
the event log are never rewritten: entries of before say "intent" of what is the topic. Going back loses the new intents and what was said of
them, for which there is no room.
"""

from django.db import migrations, models

INTENTS = [
    ("ask", "wants to know"),
    ("track", "asks how it stands"),
    ("start", "wants to order or join"),
    ("change", "wants it changed"),
    ("cancel", "wants it cancelled"),
    ("return", "wants to return or swap"),
    ("refund", "wants money back"),
    ("fix", "wants it put right"),
    ("document", "wants a document"),
    ("complain", "wants to complain"),
    ("feedback", "thanks or opinion"),
    ("person", "wants a person"),
    ("other", "something else"),
]
FIELDS = [
    ("topic", "about"),
    ("intent", "what they want"),
    ("complaint", "complaint"),
    ("sentiment", "sentiment"),
    ("urgency", "urgency"),
]

FORWARD = [
    "UPDATE support_ticket SET triage = (triage - 'intent') || jsonb_build_object('topic', triage->'intent')"
    " WHERE triage ? 'intent'",
    "UPDATE support_triagereading SET verdicts = (verdicts - 'intent') || jsonb_build_object('topic', verdicts->'intent')"
    " WHERE verdicts ? 'intent'",
    "UPDATE support_triagecorrection SET field = 'topic' WHERE field = 'intent'",
    "UPDATE support_triagemodel SET field = 'topic' WHERE field = 'intent'",
    "UPDATE support_ticket t SET triaged_at = NULL WHERE status = 'open' AND 'in' = (SELECT m.direction"
    " FROM support_ticketmessage m WHERE m.ticket_id = t.id AND m.direction <> 'note' ORDER BY m.id DESC LIMIT 1)",
]
BACKWARD = [
    "UPDATE support_ticket SET triage = (triage - 'topic' - 'intent') || jsonb_strip_nulls("
    "jsonb_build_object('intent', triage->'topic')) WHERE triage ?| array['topic', 'intent']",
    "UPDATE support_triagereading SET verdicts = (verdicts - 'topic' - 'intent') || jsonb_strip_nulls("
    "jsonb_build_object('intent', verdicts->'topic')) WHERE verdicts ?| array['topic', 'intent']",
    "DELETE FROM support_triagecorrection WHERE field = 'intent'",
    "UPDATE support_triagecorrection SET field = 'intent' WHERE field = 'topic'",
    "DELETE FROM support_triagemodel WHERE field = 'intent'",
    "UPDATE support_triagemodel SET field = 'intent' WHERE field = 'topic'",
]


class Migration(migrations.Migration):
    dependencies = [("support", "0010_answers_to_look_up_again")]

    operations = [
        migrations.RemoveIndex(model_name="automaticanswer", name="automatic_rate"),
        migrations.RenameField(model_name="ticket", old_name="intent", new_name="topic"),
        migrations.RenameField(model_name="automaticcategory", old_name="intent", new_name="topic"),
        migrations.RenameField(model_name="automaticanswer", old_name="intent", new_name="topic"),
        migrations.AddIndex(
            model_name="automaticanswer", index=models.Index(fields=["topic", "-sent_at"], name="automatic_rate")
        ),
        migrations.AddField(
            model_name="ticket",
            name="intent",
            field=models.CharField(
                blank=True,
                choices=INTENTS,
                db_default="",
                default="",
                max_length=16,
                verbose_name="what they want",
            ),
        ),
        migrations.AlterField(
            model_name="triagecorrection", name="field", field=models.CharField(choices=FIELDS, max_length=12)
        ),
        migrations.AlterField(
            model_name="triagemodel", name="field", field=models.CharField(choices=FIELDS, max_length=12)
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
