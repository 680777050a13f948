"""A new article with a category or a brand may be what somebody viewed before the catalogue knew it: everybody is asked anew."""

from django.db import migrations

TRIGGER = """
CREATE FUNCTION touch_of_new_product() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
  IF EXISTS (SELECT FROM fresh n WHERE n.category <> '' OR n.brand <> '') THEN
    INSERT INTO customers_touchedcustomer (customer_number) VALUES (NULL);
  END IF;
  RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION touch_of_new_product() FROM PUBLIC;
CREATE TRIGGER touch_of_product_insert AFTER INSERT ON customers_product
  REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION touch_of_new_product();
"""
UNDO = """
DROP TRIGGER touch_of_product_insert ON customers_product;
DROP FUNCTION touch_of_new_product();
"""


class Migration(migrations.Migration):
    dependencies = [("customers", "0037_erased_former_ids")]

    operations = [migrations.RunSQL(TRIGGER, UNDO)]
