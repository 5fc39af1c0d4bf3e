-- no application clock gets into updated_at; clock_timestamp(), not now(): a row stamped late in a long transaction
-- must not look older than it is
create function promptads.set_updated_at() returns trigger language plpgsql as $$
begin
    new.updated_at := greatest(
        clock_timestamp(), case when tg_op = 'UPDATE' then old.updated_at + interval '1 microsecond' end
    );
    return new;
end $$;
comment on function promptads.set_updated_at() is 'Stamps updated_at, strictly rising per row; no application clock gets in.';

create trigger zz_touch_insert before insert on promptads.campaigns
    for each row execute function promptads.set_updated_at();
create trigger zz_touch_update before update on promptads.campaigns
    for each row when (old.* is distinct from new.*) execute function promptads.set_updated_at();
create trigger zz_touch_insert before insert on promptads.ad_groups
    for each row execute function promptads.set_updated_at();
create trigger zz_touch_update before update on promptads.ad_groups
    for each row when (old.* is distinct from new.*) execute function promptads.set_updated_at();
create trigger zz_touch_insert before insert on promptads.ads
    for each row execute function promptads.set_updated_at();
create trigger zz_touch_update before update on promptads.ads
    for each row when (old.* is distinct from new.*) execute function promptads.set_updated_at();
create trigger zz_touch_insert before insert on promptads.campaign_metrics
    for each row execute function promptads.set_updated_at();
create trigger zz_touch_update before update on promptads.campaign_metrics
    for each row when (old.* is distinct from new.*) execute function promptads.set_updated_at();
create trigger zz_touch_insert before insert on promptads.ad_metrics
    for each row execute function promptads.set_updated_at();
create trigger zz_touch_update before update on promptads.ad_metrics
    for each row when (old.* is distinct from new.*) execute function promptads.set_updated_at();
