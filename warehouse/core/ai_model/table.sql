-- core.ai_model: one map from what applications call a model to the model, kept in seed.csv beside this file.
-- Of the patterns that match, the one with the lowest match_priority wins; what none matches reads 'Unknown'
create table core.ai_model (
    model_code varchar(50) primary key,
    provider varchar(50) not null,
    family varchar(50) not null,
    label varchar(100) not null,
    match_pattern varchar(200) not null,
    match_priority smallint not null unique
);
comment on table core.ai_model is 'The AI models, and how to know them by what applications call them (asset model, prompt tool).';
comment on column core.ai_model.model_code is 'Our own name of the model.';
comment on column core.ai_model.provider is 'Company that offers it.';
comment on column core.ai_model.family is 'Family of models it belongs to.';
comment on column core.ai_model.label is 'Name for dashboards.';
comment on column core.ai_model.match_pattern is 'Regular expression, without regard to case, that the name in the source matches.';
comment on column core.ai_model.match_priority is 'Of several patterns that match, the lowest number wins.';
