"""CartRover's Cart API as Extensiv Integration Manager offers it to an order source."""
