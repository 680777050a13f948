"""One request with customers, products, orders, events and consents together, each answered for itself.

`items` says what an item may be and reads a request, `checking` finds what its shape does not show, `writing` keeps the good ones
in sets, `views` is the address.
"""
