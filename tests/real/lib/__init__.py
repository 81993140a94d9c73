"""What the tests with real parts are made of."""
