"""A Slack of our own: speaks Slack's Web API with its limits, and shows what was posted.

``inbox.SlackInbox`` is the whole of it, as a context manager; ``python -m`` runs it alone.

errors     what a method answers when it says no
limits     the rules for text, blocks and metadata
mentions   whom a message would ping
rates      how often a method may be called
store      messages, kept as JSON lines
workspace  channels, users and tokens
faults     misbehaviour on demand
chat, conversations, users   the methods themselves
api        from a request to a method's answer
server     HTTP
page, markup   what a person sees
"""
