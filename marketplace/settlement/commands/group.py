"""The group `marketplace settlement`; its commands add themselves."""

from marketplace.console import group

app = group("Issue and redeem money, close orders, refund, reconcile, read statements. 清算结算")
