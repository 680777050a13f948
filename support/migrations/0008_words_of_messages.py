"""An index for finding conversations by part of a word of what was written in them."""

from django.db import migrations

#: In capitals, as Django asks for them. Without the extension (a login that may not make it) they are found as well, only slower.
FIND = """
DO $$ BEGIN
  CREATE EXTENSION IF NOT EXISTS pg_trgm;
  CREATE INDEX ticketmessage_words ON support_ticketmessage USING gin (upper(text) gin_trgm_ops);
EXCEPTION WHEN insufficient_privilege OR feature_not_supported OR undefined_file OR undefined_object THEN
  RAISE NOTICE 'pg_trgm is not there: conversations are found without an index';
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("support", "0007_forget_ideas_anew"), ("customers", "0021_touch_triggers")]

    operations = [migrations.RunSQL(FIND, "DROP INDEX IF EXISTS ticketmessage_words")]
