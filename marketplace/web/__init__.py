"""What every stage's HTTP routes share: shapes, the request's context, sign-in, long polls, guards. Knows no stage's
rules."""
