"""Commands for those who run the product: generated contract documents, change report, cost, doctor, load."""
