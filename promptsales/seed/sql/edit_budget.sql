-- somebody changes a campaign's budget
update promptads.campaigns set budget = least(round(budget * %(factor)s, 2), 9999999) where id = %(id)s
