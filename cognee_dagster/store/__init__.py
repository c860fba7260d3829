"""Archives, kept between steps and runs."""
