"""What needs a page: the sources that pages call, FullStory in the page, and the ways in, `connect` and the tag."""
