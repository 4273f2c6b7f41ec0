"""The connect form: one page on which a merchant connects a store, makes an account, and reads what is wrong where."""
