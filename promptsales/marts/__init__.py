"""Build the marts: plan what is due, have Spark fill staging, check the rows, and publish them."""
