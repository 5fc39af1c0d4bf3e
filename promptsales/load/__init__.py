"""The steps of a load: stage a feed's rows, check them and publish them to core."""
