-- people type it into the CRM, and Kafka would hold it before anything redacts it; core.leads has it
alter table realtime.lead drop column lead_source;
