"""Files of customers, products, events and consents: checked like files of orders, written by the functions that the API uses."""
