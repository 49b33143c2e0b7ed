"""The soak: two gateways and their national systems at work while all around them fails, and then the books are compared.

`make soak` runs it (docs/soak.md). Nothing in the product knows of it: every process is a part of a gateway as `gateway run`
starts it, on a PostgreSQL and a RabbitMQ that belong to the run.
"""
