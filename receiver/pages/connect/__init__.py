"""The connect form: the page on which a merchant connects a store and creates an account."""
