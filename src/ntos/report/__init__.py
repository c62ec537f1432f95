"""Accounts for people, made from the event stream: what happened, in which order, why.

Windows has no such thing in one place: a kernel debugger shows structures, Process Monitor shows events, a book
shows the seven stages of process creation. Here all three come from the one event stream (`etw`), for the program at
hand: the events say which step began and which rule decided, the structures are read from the machine's memory before
and after each step, and `teach` says what Windows does there.

This room knows no kernel object: a reader gets events and a way to look at memory, nothing else. Begin with
`creation.Recorder`, which makes an `account.Account` out of events; `changes` compares structures; `text` and `page`
show an account to a person, and its JSON form is the `msgspec` encoding of the classes in `account`.
"""
