select plan_type, currency_code, monthly_amount, valid_from as price_from, least(valid_to, '9999-12-31') as price_to
from core.plan_price
