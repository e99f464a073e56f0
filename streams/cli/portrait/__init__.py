"""The portrait of a customer: a page that a person reads at a glance (`huitou customer`)."""
