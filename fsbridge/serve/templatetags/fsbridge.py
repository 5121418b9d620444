"""``{% load fsbridge %}``, then ``{% fsbridge_tag "segment-classic" org="o-1ABC-na1" trackNamedPages=True %}``."""

from django import template

from .. import html

register = template.Library()
register.simple_tag(html.tag, name="fsbridge_tag")
