"""How an e-mail, phone, click id or text is normalised and hashed, and the keys it is hashed with."""
