"""A trading company that ships what it knows of suppliers, products and regions."""
