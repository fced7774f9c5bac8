"""Python requests: a Session, one call after the other."""
import os
import sys
import time

import requests

count = int(os.environ.get("COUNT", "1"))
session = requests.Session()
trust = os.environ.get("PANEL_CA")


def call(**fields):
    fields["key"] = os.environ["PANEL_KEY"]
    return session.post(os.environ["PANEL_URL"], data=fields, timeout=60, verify=trust).json()


def catalogue():
    print("services", len(call(action="services")))


def statuses():
    first = int(os.environ["FIRST"])
    ids, records = [str(i) for i in range(first, first + count)], {}
    began = time.monotonic()
    for i in range(0, count, 100):
        records.update(call(action="status", orders=",".join(ids[i:i + 100])))
    print("seconds", time.monotonic() - began)
    assert all("charge" in records[i] for i in ids)


def balance():
    call(action="balance")
    began = time.monotonic()
    for _ in range(count):
        assert call(action="balance")["balance"]
    print("seconds", time.monotonic() - began)


def calls():
    took = []
    for _ in range(100):
        began = time.monotonic()
        call(action="balance")
        took.append(time.monotonic() - began)
    print("first", took[0])
    print("second", took[1])
    print("hundredth", took[99])


globals()[sys.argv[1]]()
