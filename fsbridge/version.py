"""The version of fsbridge, in one place."""

VERSION = "0.1.0"
