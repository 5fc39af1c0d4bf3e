-- realtime.lead has this column no more
update ops.quarantine set payload = payload - 'lead_source' where feed = 'lead' and payload ? 'lead_source';
