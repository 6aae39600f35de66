"""From a question to the numbers that answer it: cells of sealed columns, their form, their noise."""
