"""What needs a person: finds it, keeps an alarm for each item, and notifies the people concerned."""
