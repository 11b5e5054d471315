"""What exists: operations, models, offers, prices and the checks that follow from them."""
