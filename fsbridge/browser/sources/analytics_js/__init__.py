"""Segment's analytics.js: ``api`` is the source; what it is made of serves beside Segment's SDK, too."""
