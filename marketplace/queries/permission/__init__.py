"""May this order ask this query? By its papers, the terms that it accepted, its voucher and the budgets."""
